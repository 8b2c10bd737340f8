"""PipeListener, the engine's listener in a child: it batches updates to the supervisor and reads its signals."""

import time
from collections.abc import MutableSequence
from ctypes import c_ulong
from multiprocessing.connection import Connection
from typing import NamedTuple

from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.run import CurvePoint, Progress

REPORT_INTERVAL = 0.25
"""Minimum seconds between two messages."""

PREEMPT, CANCEL = 0, 1
"""Positions of the signals in the memory shared by supervisor and child; each active run has its own CANCEL."""


class ProgressUpdate(NamedTuple):
    """Progress and curve points since the last message."""

    progress: Progress | None
    points: tuple[CurvePoint, ...]


class PipeListener:
    """The engine's listener in a child process; a call costs about a microsecond unless a message is due.

    Each run of a stack has its own, with its `index` in the stack and a longer `interval`. Each call counts `pulse` up:
    the supervisor sees that a run is alive which has nothing to report.
    """

    def __init__(
        self,
        pipe: Connection,
        signals: MutableSequence[int],
        pulse: c_ulong,
        *,
        index: int = 0,
        interval: float = REPORT_INTERVAL,
    ) -> None:
        self._pipe, self._signals, self._index, self._interval = pipe, signals, index, interval
        self._pulse = pulse
        self._progress: Progress | None = None
        self._points: list[CurvePoint] = []
        self._due = 0.0

    def progress(self, progress: Progress) -> None:
        self._pulse.value += 1
        self._progress = progress
        self._send_if_due()

    def point(self, point: CurvePoint) -> None:
        self._points.append(point)

    def check(self) -> None:
        self._pulse.value += 1
        if self._signals[CANCEL + self._index]:
            raise CancelledError("This run was cancelled.")
        self._send_if_due()

    def should_yield(self) -> bool:
        self._pulse.value += 1
        return bool(self._signals[PREEMPT])

    def flush(self) -> None:
        """Send what has not been sent yet."""
        if self._progress is not None or self._points:
            self._pipe.send((self._index, ProgressUpdate(self._progress, tuple(self._points))))
            self._progress, self._points = None, []

    def _send_if_due(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._interval
            self.flush()
