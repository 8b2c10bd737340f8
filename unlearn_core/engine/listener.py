"""Who hears how a run goes, and tells it when to stop."""

from typing import Protocol

from unlearn_core.domain.run import Point, Progress


class Listener(Protocol):
    """A worker, a progress bar, or nobody."""

    def progress(self, progress: Progress) -> None:
        """Hears how far the run is, after every optimiser step: must be cheap."""

    def point(self, point: Point) -> None:
        """Hears a point of the live curve."""

    def check(self) -> None:
        """Raises Cancelled where the run is no longer wanted; called before every optimiser step."""

    def give_way(self) -> bool:
        """Whether something more urgent waits; asked after every epoch of a background training."""
        ...


class Nobody:
    """Listens to nothing and never stops a run."""

    def progress(self, progress: Progress) -> None:
        pass

    def point(self, point: Point) -> None:
        pass

    def check(self) -> None:
        pass

    def give_way(self) -> bool:
        return False
