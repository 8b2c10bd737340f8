"""`gold`: queue the retraining of a classifier without the forget set, as the reference for all its runs."""

import argparse
import sys
import time
from typing import TYPE_CHECKING

from unlearn_core.cli import _forecast, _forget
from unlearn_core.cli._terminal import ProgressBar
from unlearn_core.domain.errors import InvalidRequestError, WorkerError
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.run import Priority, RunState

if TYPE_CHECKING:
    from unlearn_core.engine.forecasts.duration import Forecast
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Queue a retrained model: the same classifier trained without the forget set, as the reference."

MAX_GOLDS = 1000
PAUSE = 0.5
"""Seconds between two polls of the queue."""
STOPPED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument(
        "--seed", type=int, default=0, help="which retrained model of this request: 0 is the first, 1 the second"
    )
    parser.add_argument("--wait", action="store_true", help="wait until it is trained")
    _forecast.add_yes(parser)


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    spec = _spec(args)
    ready = _existing_gold(spec)
    if ready:
        print(f"This retrained model already exists ({ready}). Every run of this request is compared with it.")
        return 0
    store = RunStore(open_data_dir())
    _forecast.say_and_ask(_time(spec, store), yes=args.yes)
    number, known = store.submit_unique(spec, title=_title(spec), priority=Priority.BACKGROUND)
    if known:
        print(f"Run {number} already trains this model.", flush=True)
    else:
        print(f"Run {number} is queued. It trains whenever nothing more urgent is waiting.", flush=True)
    return _wait(store, number) if args.wait else 0


def _spec(args: argparse.Namespace) -> TrainGoldSpec:
    """Return the requested retraining. Raises InvalidRequestError if the retain set would be empty."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.split import trainable_split

    if not 0 <= args.seed < MAX_GOLDS:
        raise InvalidRequestError(
            f"--seed cannot be {args.seed}: retrained models are numbered from 0 to {MAX_GOLDS - 1}."
        )
    request = _forget.forget_request(args)
    trainable_split(datasets.card(request.dataset), datasets.load(request.dataset).labels, request.forget)
    return TrainGoldSpec(request=request, seed=args.seed)


def _time(spec: TrainGoldSpec, store: "RunStore") -> "Forecast | None":
    from unlearn_core.data import datasets
    from unlearn_core.domain.split import make_split
    from unlearn_core.engine.forecasts.here import of_gold
    from unlearn_core.models import classifiers

    card, data = classifiers.card(spec.request.classifier), datasets.card(spec.request.dataset)
    split = make_split(data, datasets.load(data.id).labels, spec.request.forget)
    return None if card.recipe is None else of_gold(card, data, len(split.retain_train), store)


def _existing_gold(spec: TrainGoldSpec) -> str | None:
    """Return the name of this retrained model if it is bundled or was trained here."""
    from unlearn_core.models import bundled_models
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.golds import GoldStore

    bundled = bundled_models.find_bundled(
        spec.request.classifier, spec.request.forget, bundled_models.GOLD_SEED_OFFSET + spec.seed
    )
    if bundled is not None:
        return f"{bundled.name}, bundled"
    trained = GoldStore(open_data_dir()).find(spec.request, spec.seed)
    return None if trained is None else trained.name


def _title(spec: TrainGoldSpec) -> str:
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import gold_title

    return gold_title(spec, datasets.card(spec.request.dataset))


def _wait(store: "RunStore", number: int) -> int:
    """Show the progress of the run until it ends; Ctrl-C stops waiting, not the run."""
    bar = ProgressBar()
    try:
        while not (run := store.get(number)).state.is_finished:
            if not store.workers():
                raise WorkerError(
                    f"Run {number} is queued, but no worker is running. "
                    "Start one with `python -m unlearn_core worker` or `serve`."
                )
            if run.progress is not None:
                bar.progress(run.progress)
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print(f"\nStopped waiting; run {number} continues.", file=sys.stderr)
        return STOPPED
    finally:
        bar.clear()
    if run.state is RunState.DONE:
        print(f"Run {number} is done: the retrained model is ready.")
        return 0
    print(f"Run {number} {run.state}: {run.error}" if run.error else f"Run {number} was {run.state}.", file=sys.stderr)
    return 1
