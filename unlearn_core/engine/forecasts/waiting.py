"""When each run in the queue will start, by the forecasts of all that is ahead of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.split import trainable_split
from unlearn_core.engine.forecasts import here
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.forecasts.predict import Work
from unlearn_core.models import classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.queue.workers import WorkerRow

NOW = Forecast(0.0, 0.0, True)
Labels = Callable[[str], np.ndarray]
"""The labels (N,) of a data set, by its id."""


def expected_starts(store: RunStore, labels: Labels) -> dict[int, Forecast | None]:
    """Return in how many seconds each run in the queue will start, by number; None if what is ahead has no forecast.

    Each goes to the device that is free first. A run that takes longer than its forecast leaves the rest unknown, and
    so does a stack of runs, whose time is not that of one.
    """
    queue, now = store.queue.now(), time.time()
    known = {entry.number: _forecast(store, entry.run, labels) for entry in queue.waiting}
    free = [
        _free(worker, [_left(store, entry.run, labels, now) for entry in queue.running if _is_on(worker, entry.run)])
        for worker in queue.workers
    ]
    return starts(free, known)


def _is_on(worker: WorkerRow, run: Run | None) -> bool:
    return run is not None and run.device == worker.device


def _left(store: RunStore, run: Run | None, labels: Labels, now: float) -> Forecast | None:
    return remaining(_forecast(store, run, labels), run, now)


def _free(worker: WorkerRow, left: Sequence[Forecast | None]) -> Forecast | None:
    """When a device is free, by what is left of its running runs; None if that is unknown."""
    if worker.state in ("starting", "leaving"):
        return None
    if worker.state == "idle" or not left:  # What runs beside an idle worker is executed by the command line.
        return NOW
    return left[0] if len(left) == 1 else None


def starts(free: Sequence[Forecast | None], waiting: Mapping[int, Forecast | None]) -> dict[int, Forecast | None]:
    """Return the start of each waiting run, in their order; `free` says when each device is free, None if unknown."""
    free, found = list(free), dict[int, Forecast | None]()
    for number, own in waiting.items():
        if not free or None in free:  # The one of which nothing is known may be free first.
            found[number] = None
            continue
        known = [one for one in free if one is not None]
        first = min(range(len(known)), key=lambda place: known[place].high)
        found[number] = Forecast(min(one.low for one in known), known[first].high, known[first].measured)
        free[first] = None if own is None else known[first].plus(own)
    return found


def remaining(forecast: Forecast | None, run: Run | None, now: float) -> Forecast | None:
    """Return how long a running run still takes by its forecast; None once it takes longer than that."""
    if forecast is None or run is None or run.started is None:
        return None
    spent = now - run.started.timestamp()
    if spent > forecast.high:
        return None
    return forecast._replace(low=max(0.0, forecast.low - spent), high=forecast.high - spent)


def _forecast(store: RunStore, run: Run | None, labels: Labels) -> Forecast | None:
    """How long a run takes on the device of the worker; None for kinds of jobs that have no forecast."""
    try:
        match run.spec if run else None:
            case UnlearnSpec() as spec:
                card, dataset = classifiers.card(spec.request.classifier), datasets.card(spec.request.dataset)
                return here.of_run(card, dataset, _work(spec.model_dump_json(), labels), store)
            case TrainGoldSpec() as spec:
                card, dataset = classifiers.card(spec.request.classifier), datasets.card(spec.request.dataset)
                split = trainable_split(dataset, labels(dataset.id), spec.request.forget)
                return here.of_gold(card, dataset, len(split.retain_train), store)
            case TrainSpec() as spec:
                return here.of_training(spec.architecture, datasets.card(spec.dataset), spec.recipe, store)
            case _:
                return None
    except UnlearnError:  # the run itself will say what is wrong with it
        return None


@lru_cache(maxsize=512)
def _work(text: str, labels: Labels) -> Work:
    """The work of a run, by its spec as JSON."""
    spec = UnlearnSpec.model_validate_json(text)
    card, dataset = classifiers.card(spec.request.classifier), datasets.card(spec.request.dataset)
    return here.spec_work(spec, card, dataset, labels(dataset.id))
