"""The NeurIPS challenge's score of a run: N nets that its method makes against N golds, and golds against golds."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from unlearn_core.catalog import populations
from unlearn_core.catalog.populations import Population
from unlearn_core.domain.errors import GaveWay
from unlearn_core.domain.report import Part
from unlearn_core.domain.request import fingerprint
from unlearn_core.domain.run import RunSpec
from unlearn_core.domain.tracker import Silent
from unlearn_core.engine import population
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.measure import Reopened, reopen
from unlearn_core.engine.problem import Layout
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.engine.warm import Warm
from unlearn_core.probes.epsilon import BUCKET, Score, last_bucket, standard_error
from unlearn_core.store import artifacts, reports

T = TypeVar("T")


class _Inside(Silent):
    """Passes on only whether to stop: what counts here are whole nets, not the steps of one."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def over(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self._listener.check()
            yield item


def add(run: int, nets: int, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Adds the part "score" to a finished run's report, or the reason for its absence; gives what the row keeps.

    Every net's answers are kept in the data folder, so that what was interrupted goes on, and what gave way to
    something more urgent (GaveWay) too.
    """
    listener.check()
    finished = reopen(run, warm)
    part = measure(finished, nets, warm, listener)
    if isinstance(part, str):
        missing = {**finished.report.missing, "score": part}
        reports.write(replace(finished.report, parts={}, missing=missing), finished.folder, pool=warm.evaluations)
        return {"score": None}
    artifacts.write_part(finished.folder, "score", part)
    return {"score": {"nets": nets, "ours": part.facts["after"]["score"], "ceiling": part.facts["ceiling"]["score"]}}


def measure(finished: Reopened, nets: int, warm: Warm, listener: Listener) -> Part | str:
    """The score of `nets` nets, and the same of as many other golds, with every picture's epsilon; or why not.

    In the facts "after" and "ceiling" have score, forgetting, error (the standard error of forgetting over pictures),
    retain and test (accuracies relative to gold); in the arrays each has its epsilons (S,), nan where none is defined.
    """
    spec, layout, began = finished.report.spec, finished.layout, time.perf_counter()
    if spec.start is not None:
        return "This run goes on from an earlier one, so no gold is defined and there is nothing to score against."
    if layout.card.recipe is None:
        return "Nobody has said how the classifier was trained, so no golds can be trained to score against."
    shipped = populations.golds(spec.request)
    there = [] if shipped is None else [shipped.part(0, 2 * nets)]
    first = 0 if shipped is None else min(len(shipped), 2 * nets)
    tracker = RunTracker(listener)
    tracker.plan(**{"unlearned nets": nets, "golds": 2 * nets - first})
    ours = _made(
        "unlearned nets",
        range(nets),
        _folder(warm, "unlearned", fingerprint(spec.model_copy(update={"seed": 0})) + layout.before.weights[:16]),
        lambda seed: population.unlearned(spec.model_copy(update={"seed": 0}), seed, warm, _Inside(listener)),
        tracker,
        listener,
    )
    golds = _made(
        "golds",
        range(first, 2 * nets),
        _folder(warm, "golds", spec.request.fingerprint()),
        lambda number: _gold(layout, spec, number, warm, listener),
        tracker,
        listener,
    )
    every = Population.of(there + golds)
    labels = finished.report.labels[layout.split.forget_train]
    facts: dict[str, Any] = {"nets": nets, "bucket": BUCKET, "last": last_bucket(nets)}
    arrays = {}
    for name, some in (("after", Population.of(ours)), ("ceiling", every.part(nets, 2 * nets))):
        score = population.score(some, every.part(0, nets), labels)
        facts[name] = _facts(score, nets)
        arrays[name] = score.epsilons.astype(np.float32)
    return Part(facts | {"seconds": time.perf_counter() - began}, arrays)


def _made(
    phase: str,
    numbers: range,
    folder: Path,
    make: Callable[[int], Population],
    tracker: RunTracker,
    listener: Listener,
) -> list[Population]:
    """The answers of these nets, made where they are missing."""
    tracker.phase(phase)
    found = []
    for number in tracker.over(numbers):
        one = population.kept(folder, number)
        if one is None:
            one = make(number)
            population.keep(folder, number, one)
            if number != numbers[-1] and listener.give_way():
                raise GaveWay("Stopped after a net for something more urgent; goes on afterwards.")
        found.append(one)
    return found


def _gold(layout: Layout, spec: RunSpec, number: int, warm: Warm, listener: Listener) -> Population:
    """One gold's answers; it is trained only where nobody has it."""
    known = warm.gold(layout.card, spec.request, number)
    if known is not None:
        return population.asked(known.net, layout.data, layout.split)
    return population.gold(spec.request, number, warm, _Inside(listener))


def _folder(warm: Warm, kind: str, name: str) -> Path:
    return warm.home / "populations" / kind / name


def _facts(score: Score, nets: int) -> dict[str, float]:
    return {
        "score": score.final,
        "forgetting": score.forgetting,
        "error": standard_error(score.epsilons, nets),
        "retain": score.retain,
        "test": score.test,
    }
