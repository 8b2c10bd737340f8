"""The web server in a process that reports on itself: CPU, memory, open files, and where its threads are.

    python -m unlearn_core.benchmarks.pages.measured_server REPORT run app.py ...

It starts Streamlit with the arguments after REPORT. On the signal USR1 it writes to REPORT what it has used since its
start, and where its threads were in each sample since the last signal.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

SAMPLE_SECONDS = 0.01
IDLE = {
    "wait",
    "select",
    "_worker",
    "accept",
    "_wait_for_tstate_lock",
    "_sample",
    "task",  # of a watcher of files
}
"""Functions in which a thread waits; a sample in one of them is no work."""


class Sampler:
    """Looks at what every thread does, many times a second."""

    def __init__(self, report: Path) -> None:
        self.report, self._wanted = report, threading.Event()
        self._inside: Counter[str] = Counter()
        self._at: Counter[str] = Counter()
        self.samples = 0

    def start(self) -> None:
        """Sample in the background, and write the report at each signal USR1."""
        signal.signal(signal.SIGUSR1, lambda *_: self._wanted.set())
        threading.Thread(target=self._sample, name="sampler", daemon=True).start()

    def _sample(self) -> None:
        while True:
            if self._wanted.wait(SAMPLE_SECONDS):
                self._wanted.clear()
                self._write()
            self.samples += 1
            for frame in sys._current_frames().values():
                self._note(frame)

    def _note(self, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_name in IDLE:
            return
        self._at[_name(frame)] += 1
        seen = set()
        while frame is not None:
            seen.add(_name(frame))
            frame = frame.f_back
        self._inside.update(seen)

    def _write(self) -> None:
        found: dict[str, Any] = usage() | {
            "samples": self.samples,
            "inside": dict(self._inside.most_common(400)),
            "at": dict(self._at.most_common(100)),
        }
        self.samples, self._inside, self._at = 0, Counter(), Counter()
        unfinished = self.report.with_suffix(".tmp")
        unfinished.write_text(json.dumps(found))
        unfinished.replace(self.report)


def usage() -> dict[str, float]:
    """Return the time, the CPU seconds of this process, its memory in MiB and the number of its open files."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        memory = int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    else:  # Elsewhere the system only knows the most so far.
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = len(list(Path("/dev/fd").iterdir()))
    return {"time": time.monotonic(), "cpu": time.process_time(), "memory": memory / (1 << 20), "files": files}


def _name(frame: FrameType) -> str:
    module = frame.f_globals.get("__name__", "?")
    return f"{module}.{frame.f_code.co_qualname}"


if __name__ == "__main__":
    from streamlit.web import cli

    Sampler(Path(sys.argv[1])).start()
    sys.argv = ["streamlit", *sys.argv[2:]]
    cli.main()
