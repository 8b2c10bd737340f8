"""The real engine at work; only that the first epoch of a gold waits for company, so that a test can be slower."""

import time
from pathlib import Path
from typing import Any

from unlearn_core.domain.jobs import GoldSpec
from unlearn_core.domain.run import Point, Progress, Run
from unlearn_core.domain.stacking import Stacks
from unlearn_core.engine import execute, model_cache, stacked_execute
from unlearn_core.engine.entry_point import carry_out_together
from unlearn_core.engine.jobs import relearn
from unlearn_core.engine.listener import Listener

__all__ = ["Warm", "carry_out", "carry_out_together", "stacks"]

relearn.TERMS = relearn.TERMS._replace(draws=1, half=8)


def stacks(device: str) -> Stacks:
    """On a CPU too, for a test that has no GPU."""
    return stacked_execute.stacks("cuda:0")


class Warm(model_cache.Warm):
    """Loads what is asked for, and nothing ahead of that."""

    def prepare(self) -> None:
        pass


def carry_out(run: Run, warm: Warm, listener: Listener) -> dict[str, Any]:
    if isinstance(run.spec, GoldSpec) and run.attempt == 1:
        listener = Waiting(listener, warm.home)
    return execute.carry_out(run, warm, listener)


class Waiting:
    """Passes everything on; at the end of an epoch it says so, and waits until something more urgent is there."""

    def __init__(self, inner: Listener, home: Path) -> None:
        self._inner, self._home = inner, home

    def progress(self, progress: Progress) -> None:
        self._inner.progress(progress)

    def point(self, point: Point) -> None:
        self._inner.point(point)

    def check(self) -> None:
        self._inner.check()

    def give_way(self) -> bool:
        with (self._home / "epochs").open("a") as file:
            file.write("over\n")
        while not self._inner.give_way():
            self._inner.check()
            time.sleep(0.01)
        return True
