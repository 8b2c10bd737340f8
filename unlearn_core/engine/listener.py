"""Listeners: they receive the progress of a run, and stop it."""

from typing import Protocol

from unlearn_core.domain.run import CurvePoint, Progress


class RunListener(Protocol):
    """Receives progress and can stop a run: a worker or a progress bar."""

    def progress(self, progress: Progress) -> None:
        """Receive the progress, after every optimizer step: must be cheap."""

    def point(self, point: CurvePoint) -> None:
        """Receive a point of the live curve."""

    def check(self) -> None:
        """Raise CancelledError if the run was cancelled; called before every optimizer step."""

    def should_yield(self) -> bool:
        """Return whether a more urgent job is queued; called after every epoch of a background training."""
        ...


class NullListener:
    """A listener that ignores everything and never stops a run."""

    def progress(self, progress: Progress) -> None:
        pass

    def point(self, point: CurvePoint) -> None:
        pass

    def check(self) -> None:
        pass

    def should_yield(self) -> bool:
        return False
