"""What verbs write to a terminal: tables of texts, and the progress bar.

The bar on stderr counts real optimiser steps, and Ctrl-C ends the run at the next step.
"""

import signal
import sys
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, TextIO

from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.run import CurvePoint, Progress

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 30
PAUSE = 0.1
"""Seconds between two redraws of the bar."""


class ProgressBar:
    """Listen to a run: redraw one line on a terminal, or elsewhere write one line per phase."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._last_drawn, self._stage, self._width = 0.0, "", 0
        self._start = time.monotonic()
        self._stopped = False
        self._former_handler: signal.Handlers | None = None

    def __enter__(self) -> "ProgressBar":
        self._former_handler = signal.signal(signal.SIGINT, self._stop)  # pyright: ignore[reportAttributeAccessIssue]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._former_handler)
        self.clear()

    def clear(self) -> None:
        """Remove the bar from the terminal."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        self._stopped = True

    def progress(self, progress: Progress) -> None:
        now, new = time.monotonic(), progress.stage != self._stage
        last = all(phase.done >= phase.steps for phase in progress.phases)
        if self._live and (new or last or now - self._last_drawn >= PAUSE):
            text = format_line(progress, now - self._start)
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._last_drawn, self._width = now, len(text)
        elif new and not self._live:
            print(f"{progress.stage} ...", file=self._stream, flush=True)
        self._stage = progress.stage

    def point(self, point: CurvePoint) -> None:
        pass

    def check(self) -> None:
        if self._stopped:
            raise CancelledError("Stopped before it finished; nothing was changed.")

    def should_yield(self) -> bool:
        return False


def format_line(progress: Progress, seconds: float) -> str:
    """Return the bar as text: the stage, its share, finished and planned steps, and the seconds so far."""
    done = sum(phase.done for phase in progress.phases)
    planned = sum(phase.steps for phase in progress.phases)
    filled = WIDTH * done // planned if planned else 0
    return (
        f"{progress.stage:<12} [{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {planned:,} steps, {seconds:.1f} s"
    )


def aligned(table: "pd.DataFrame") -> list[str]:
    """The heading and the rows of a table of texts, with two spaces between the columns."""
    rows = [list(table.columns), *table.to_numpy().tolist()]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
