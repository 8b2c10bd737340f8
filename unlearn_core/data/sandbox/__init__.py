"""Work on untrusted files in a child process: limited in memory, time and disk, without network, and safe to kill.

`run` starts that process (see `child`), passes on its progress, and explains how it ended.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

PROJECT_ROOT = Path(__file__).resolve().parents[3]
POLL_INTERVAL = 0.2
"""Longest time until a cancellation is noticed, in seconds."""
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""The child's environment: that of this process is not passed on to code that handles untrusted files."""
_LONGEST_LINE = 1 << 26
_ERRORS_READ = 1 << 12

ProgressCallback = Callable[[str, int, int], None]
"""Called with a phase, how much of it is done and how much there is; raises if the work is cancelled."""


class Limits(NamedTuple):
    """What the child process may use; beyond it, the process gets an error or is killed."""

    memory: int
    """Address space in bytes."""
    seconds: int
    """Wall-clock time; times `threads`, it is the CPU time."""
    file_bytes: int
    """Size of each file that it writes."""
    threads: int = 1
    beyond_imports: bool = False
    """Whether `memory` is in addition to what importing the function took, which for torch depends on its build."""


class JobContext(NamedTuple):
    """What the child process offers to the function that works there."""

    on_progress: ProgressCallback
    limit_file_size: Callable[[int], None]
    """Lowers the limit on the size of each file, to this number of bytes."""


class SandboxError(Exception):
    """The work gave no result; the caller says so in its own words."""

    def __init__(self, cause: Literal["refused", "time", "memory", "crash"], reason: str = "") -> None:
        super().__init__(reason)
        self.cause, self.reason = cause, reason
        """The reason is the function's own sentence if it refused, and how the process ended if it crashed."""


def run(
    function: str, job: Mapping[str, Any], limits: Limits, on_progress: ProgressCallback | None = None
) -> dict[str, Any]:
    """Calls a function, "package.module:name", with a job and a JobContext in a child process; returns its result.

    The job and the result are what JSON can hold. Raises SandboxError, also if the function raises an UnlearnError or
    a MemoryError, and whatever `on_progress` raises; each of them ends the child.
    """
    command = [sys.executable, "-m", f"{__name__}.child", function]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(json.dumps({"job": job, "limits": limits._asdict()}).encode())
        given.seek(0)
        with subprocess.Popen(
            command, stdin=given, stdout=subprocess.PIPE, stderr=errors, cwd=PROJECT_ROOT, env=ENVIRONMENT
        ) as child:
            try:
                assert child.stdout is not None
                answer = _listen(child.stdout, limits, on_progress)
                if answer is None:
                    raise _describe_exit(child.wait(2), errors)
            except subprocess.TimeoutExpired:
                raise SandboxError("crash", "it closed its output") from None
            finally:
                child.kill()
    if "result" in answer:
        return answer["result"]
    raise SandboxError("refused", str(answer["refused"])) if "refused" in answer else SandboxError("memory")


def _listen(output: IO[bytes], limits: Limits, on_progress: ProgressCallback | None) -> dict[str, Any] | None:
    """Reads the child's output; None if it ends without an answer."""
    end, rest, answer, progress = time.monotonic() + limits.seconds, bytearray(), None, None
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        while answer is None:
            if ready.select(POLL_INTERVAL):
                piece = os.read(output.fileno(), 1 << 16)
                if not piece:
                    return None
                rest += piece
                lines = rest.split(b"\n") if b"\n" in piece else [rest]
                rest = lines.pop()
                try:
                    for message in map(json.loads, lines):
                        if isinstance(message, dict):
                            answer = message
                        else:
                            progress = str(message[0]), int(message[1]), int(message[2])
                    if len(rest) > _LONGEST_LINE:
                        raise ValueError
                except (ValueError, TypeError, LookupError, RecursionError):
                    raise SandboxError("crash", "what it wrote is no answer") from None
            if progress and on_progress:
                on_progress(*progress)
            if answer is None and time.monotonic() > end:
                raise SandboxError("time")
    return answer


def _describe_exit(code: int, errors: IO[bytes]) -> SandboxError:
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - _ERRORS_READ))
    text = errors.read().decode(errors="replace").strip()
    if code == -signal.SIGXCPU:
        return SandboxError("time")
    if code == -signal.SIGKILL or "MemoryError" in text:
        return SandboxError("memory")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return SandboxError("crash", f"{how}: {text.splitlines()[-1][:120] if text else 'no output'}")
