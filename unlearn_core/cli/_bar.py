"""A progress bar on stderr that counts real optimiser steps; Ctrl-C ends the run at the next one."""

import signal
import sys
import time
from types import FrameType, TracebackType
from typing import TextIO

from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.run import CurvePoint, Progress

WIDTH = 30
PAUSE = 0.1
"""Seconds between two pictures of the bar."""


class ProgressBar:
    """Listens to a run. On a terminal it redraws one line; elsewhere it writes a line when a phase begins."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._drawn, self._doing, self._width = 0.0, "", 0
        self._began = time.monotonic()
        self._stopped = False
        self._before: signal.Handlers | None = None

    def __enter__(self) -> "ProgressBar":
        self._before = signal.signal(signal.SIGINT, self._stop)  # pyright: ignore[reportAttributeAccessIssue]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        self.clear()

    def clear(self) -> None:
        """Takes the bar off the terminal."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        self._stopped = True

    def progress(self, progress: Progress) -> None:
        now, new = time.monotonic(), progress.stage != self._doing
        last = all(phase.done >= phase.steps for phase in progress.phases)
        if self._live and (new or last or now - self._drawn >= PAUSE):
            text = format_line(progress, now - self._began)
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._drawn, self._width = now, len(text)
        elif new and not self._live:
            print(f"{progress.stage} ...", file=self._stream, flush=True)
        self._doing = progress.stage

    def point(self, point: CurvePoint) -> None:
        pass

    def check(self) -> None:
        if self._stopped:
            raise CancelledError("Stopped before it was finished; nothing was changed.")

    def should_yield(self) -> bool:
        return False


def format_line(progress: Progress, seconds: float) -> str:
    """The bar as text: what is done, how much of it, how many of all planned steps, and for how long."""
    done = sum(phase.done for phase in progress.phases)
    planned = sum(phase.steps for phase in progress.phases)
    filled = WIDTH * done // planned if planned else 0
    return (
        f"{progress.stage:<12} [{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {planned:,} steps, {seconds:.1f} s"
    )
