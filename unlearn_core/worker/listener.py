"""What the engine talks to inside a child: it batches news for the supervisor, and reads its wishes."""

import time
from collections.abc import MutableSequence
from multiprocessing.connection import Connection
from typing import NamedTuple

from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.run import CurvePoint, Progress

REPORT_INTERVAL = 0.25
"""Seconds between two messages at the least."""

PREEMPT, CANCEL = 0, 1
"""Places of the wishes in the memory that supervisor and child share; each run in hand has a CANCEL of its own."""


class ProgressUpdate(NamedTuple):
    """What happened since the last message."""

    progress: Progress | None
    points: tuple[CurvePoint, ...]


class PipeListener:
    """The engine's listener in a child process; everything here costs about a microsecond, but for a due message.

    Of several runs that are made side by side each has one, with its `place` among them, and each speaks less often.
    """

    def __init__(
        self, pipe: Connection, signals: MutableSequence[int], *, index: int = 0, interval: float = REPORT_INTERVAL
    ) -> None:
        self._pipe, self._wishes, self._place, self._rhythm = pipe, signals, index, interval
        self._progress: Progress | None = None
        self._points: list[CurvePoint] = []
        self._due = 0.0

    def progress(self, progress: Progress) -> None:
        self._progress = progress
        self._send_if_due()

    def point(self, point: CurvePoint) -> None:
        self._points.append(point)

    def check(self) -> None:
        if self._wishes[CANCEL + self._place]:
            raise CancelledError("Somebody asked for this run to stop.")
        self._send_if_due()

    def should_yield(self) -> bool:
        return bool(self._wishes[PREEMPT])

    def flush(self) -> None:
        """Sends what is left to tell."""
        if self._progress is not None or self._points:
            self._pipe.send((self._place, ProgressUpdate(self._progress, tuple(self._points))))
            self._progress, self._points = None, []

    def _send_if_due(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._rhythm
            self.flush()
