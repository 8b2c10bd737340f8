"""Fake work that is made side by side: runs of the method "any" that differ in their steps and pauses."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.worker.fake_work import ModelCache, execute_job, longest_silence
from unlearn_core.domain.errors import CancelledError, NotSupportedError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import CurvePoint, Phase, Progress, Run
from unlearn_core.engine.listener import RunListener

__all__ = ["ModelCache", "execute_job", "execute_stacked", "longest_silence", "stackable_params"]


def stackable_params(device: str) -> dict[str, frozenset[str]]:
    return {"any": frozenset({"pause", "steps", "times"})}


def execute_stacked(runs: Sequence[Run], warm: ModelCache, listeners: Sequence[RunListener]) -> Iterator[Any]:
    """All runs step by step, each for as many as it wants; the first one's parameters say what befalls the stack."""
    wishes = [dict(run.spec.params) for run in runs if isinstance(run.spec, UnlearnSpec)]
    for run in runs:
        (warm.home / f"began-{run.id}-{run.attempt}").write_text(str(os.getpid()))
    match wishes[0]["do"]:
        case "die":
            raise NotSupportedError("These draw by chance.")
        case "fail":
            raise MemoryError
        case "silent":
            time.sleep(3600)
    ended: list[Any] = [None] * len(runs)
    for step in range(1, max(wish["steps"] for wish in wishes) + 1):
        time.sleep(0.01)
        for place, listener in enumerate(listeners):
            if ended[place] is None and step <= wishes[place]["steps"]:
                try:
                    listener.check()
                except CancelledError as problem:
                    ended[place] = problem
                listener.point(CurvePoint(step, step * 0.01, "walk", 0.5, 0.9))
                listener.progress(Progress((Phase("walk", wishes[place]["steps"], step, 0.0),), "walk", None))
    for end in ended:
        yield end or RunMetrics.model_validate({"together": len(runs), "pid": os.getpid()})
