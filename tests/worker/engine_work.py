"""The real engine at work; only that the first epoch of a gold waits for company, so that a test can be slower.

A run with a certain seed dies once while it is measured.
"""

import os
import signal
import time
from pathlib import Path

from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import CurvePoint, Progress, Run
from unlearn_core.domain.stacking import StackableParams
from unlearn_core.engine import execute, model_cache, stacked_execute
from unlearn_core.engine.entry_point import execute_stacked, longest_silence
from unlearn_core.engine.jobs import relearn
from unlearn_core.engine.listener import RunListener

FATAL_SEED = 77

__all__ = ["ModelCache", "execute_job", "execute_stacked", "longest_silence", "stackable_params"]

relearn.PROTOCOL = relearn.PROTOCOL.model_copy(update={"draws": 1, "half": 8})


def stackable_params(device: str) -> StackableParams:
    """On a CPU too, for a test that has no GPU."""
    return stacked_execute.stackable_params("cuda:0")


class ModelCache(model_cache.ModelCache):
    """Loads what is asked for, and nothing ahead of that."""

    def prepare(self) -> None:
        pass


def execute_job(run: Run, warm: ModelCache, listener: RunListener) -> RunMetrics:
    if isinstance(run.spec, TrainGoldSpec) and run.attempt == 1:
        listener = Waiting(listener, warm.data_dir)
    if isinstance(run.spec, UnlearnSpec) and run.spec.seed == FATAL_SEED and run.attempt == 1:
        listener = Fatal(listener)
    return execute.execute_job(run, warm, listener)


class Fatal:
    """Passes everything on, and kills its process after the verdict."""

    def __init__(self, inner: RunListener) -> None:
        self._inner, self._stage = inner, ""

    def progress(self, progress: Progress) -> None:
        self._stage = progress.stage
        self._inner.progress(progress)

    def point(self, point: CurvePoint) -> None:
        self._inner.point(point)

    def check(self) -> None:
        if self._stage == "measuring":
            os.kill(os.getpid(), signal.SIGKILL)
        self._inner.check()

    def should_yield(self) -> bool:
        return self._inner.should_yield()


class Waiting:
    """Passes everything on; at the end of an epoch it says so, and waits until something more urgent is there."""

    def __init__(self, inner: RunListener, home: Path) -> None:
        self._inner, self._home = inner, home

    def progress(self, progress: Progress) -> None:
        self._inner.progress(progress)

    def point(self, point: CurvePoint) -> None:
        self._inner.point(point)

    def check(self) -> None:
        self._inner.check()

    def should_yield(self) -> bool:
        with (self._home / "epochs").open("a") as file:
            file.write("over\n")
        while not self._inner.should_yield():
            self._inner.check()
            time.sleep(0.01)
        return True
