"""What a method may say while it works, and how it learns that it should stop."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Tracker(Protocol):
    """Progress with manners: a method counts its steps through `over`, and is cancelled there too."""

    def plan(self, **steps: int) -> None:
        """Says before the work starts how many optimiser steps each phase will take, in order."""

    def phase(self, name: str, *, done: int = 0) -> None:
        """Begins a phase; `done` steps of it were made earlier (a training that goes on)."""

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        """Passes the items on, one optimiser step each; raises Cancelled between two of them when asked to stop."""
        ...

    def log(self, **scalars: float) -> None:
        """Adds a point to named curves at the current step."""

    def save_artifact(self, name: str, array: Any, **facts: object) -> None:
        """Keeps something worth showing (noise pictures, importances): it lands in the report's extras."""


class NullTracker:
    """A tracker that listens to nobody: for scripts and tests."""

    def plan(self, **steps: int) -> None:
        pass

    def phase(self, name: str, *, done: int = 0) -> None:
        pass

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        yield from items

    def log(self, **scalars: float) -> None:
        pass

    def save_artifact(self, name: str, array: Any, **facts: object) -> None:
        pass
