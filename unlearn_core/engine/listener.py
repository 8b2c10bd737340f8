"""Who hears how a run goes, and tells it when to stop."""

from typing import Protocol

from unlearn_core.domain.run import CurvePoint, Progress


class RunListener(Protocol):
    """A worker, a progress bar, or nobody."""

    def progress(self, progress: Progress) -> None:
        """Hears how far the run is, after every optimiser step: must be cheap."""

    def point(self, point: CurvePoint) -> None:
        """Hears a point of the live curve."""

    def check(self) -> None:
        """Raises Cancelled where the run is no longer wanted; called before every optimiser step."""

    def should_yield(self) -> bool:
        """Whether something more urgent waits; asked after every epoch of a background training."""
        ...


class NullListener:
    """Listens to nothing and never stops a run."""

    def progress(self, progress: Progress) -> None:
        pass

    def point(self, point: CurvePoint) -> None:
        pass

    def check(self) -> None:
        pass

    def should_yield(self) -> bool:
        return False
