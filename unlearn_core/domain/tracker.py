"""Trackers: how a method reports progress while it runs, and how it is cancelled."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from unlearn_core.domain.results.method_artifacts import Artifact

T = TypeVar("T")


class Tracker(Protocol):
    """Receives a method's progress; `iterate` counts steps and is where a method is cancelled."""

    def plan(self, **steps: int) -> None:
        """Announce, before the first step, how many optimiser steps each phase will take, in order."""

    def phase(self, name: str, *, done: int = 0) -> None:
        """Begin a phase; `done` of its steps were made earlier (a training run that is resumed)."""

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, one optimiser step each; raises CancelledError between two items if the run is cancelled."""
        ...

    def log(self, **scalars: float) -> None:
        """Add a point to named curves at the current step."""

    def save_artifact(self, artifact: Artifact) -> None:
        """Save something to show later, such as noise images, in place of an earlier artifact of its type."""


class NullTracker:
    """A tracker that ignores everything: for scripts and tests."""

    def plan(self, **steps: int) -> None:
        pass

    def phase(self, name: str, *, done: int = 0) -> None:
        pass

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        yield from items

    def log(self, **scalars: float) -> None:
        pass

    def save_artifact(self, artifact: Artifact) -> None:
        pass
