"""The web server in a process that reports on itself: CPU, memory, open files, and where its threads are.

    python -m unlearn_core.benchmarks.pages.measured_server REPORT run app.py ...

It starts Streamlit with the arguments after REPORT. On the signal USR1 it writes to REPORT what it has used since its
start, and where its threads were in each sample since the last signal.
"""

import faulthandler
import json
import os
import re
import resource
import signal
import sys
import sysconfig
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from unlearn_core.installation import IMPORT_DIR

SAMPLE_SECONDS = 0.02
IDLE = {"wait", "select", "_worker", "accept", "_sample", "task"}
"""Functions in which a thread waits; a sample in one of them is no work. `task` is that of a watcher of files."""
_FOLDERS = [*(f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib", "stdlib")), f"{IMPORT_DIR}/"]
_FRAME = re.compile(r'^  File "(.*)", line \d+ in (.*)$', re.MULTILINE)


class Sampler:
    """Looks at what every thread does, many times a second.

    It reads what `faulthandler` writes: in Python 3.11, walking through the frames of other threads can crash.
    """

    def __init__(self, report: Path) -> None:
        self.report, self._wanted = report, threading.Event()
        self._inside: Counter[str] = Counter()
        self._at: Counter[str] = Counter()
        self.samples = 0
        self._stacks = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (for as long as the process lives)

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
            self._stacks.seek(0)
            self._stacks.truncate()
            faulthandler.dump_traceback(self._stacks)
            self._stacks.seek(0)
            for stack in self._stacks.read().decode(errors="replace").split("\n\n"):
                self._note(_FRAME.findall(stack))

    def _note(self, frames: Sequence[tuple[str, str]]) -> None:
        """Count one thread; its frames are files and functions, the innermost first."""
        if frames and frames[0][1] not in IDLE:
            self._at[_name(*frames[0])] += 1
            self._inside.update({_name(*frame) for frame in frames})

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


@cache
def _name(file: str, function: str) -> str:
    """Name a function by its file, from the folder of the library or of the standard library on."""
    for folder in _FOLDERS:
        if file.startswith(folder):
            return f"{file.removeprefix(folder)} {function}"
    return f"{file} {function}"


if __name__ == "__main__":
    from streamlit.web import cli

    Sampler(Path(sys.argv[1])).start()
    sys.argv = ["streamlit", *sys.argv[2:]]
    cli.main()
