"""Run `decode_worker` in a limited child process, pass on its progress, and end it on time."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from unlearn_core.data.ingest.decode_batch import ProgressCallback
from unlearn_core.data.ingest.upload_limits import UploadLimits, limit_hint
from unlearn_core.domain.errors import InvalidDatasetError

PROJECT_ROOT = Path(__file__).resolve().parents[3]
CHILD_MODULE = "unlearn_core.data.ingest.decode_worker"
POLL_INTERVAL = 0.2
"""Longest time until a cancellation is noticed, in seconds."""
_LONGEST_LINE = 1 << 26
_MOST_THREADS = 8


def prepare(job: dict[str, Any], *, limits: UploadLimits, on_progress: ProgressCallback) -> dict[str, Any]:
    """Runs a job in a child process (see `decode_worker`) and returns its result.

    Raises InvalidDatasetError with its reason, or with why it died, and what `on_progress` raises; both end the child.
    """
    threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    text = json.dumps(job | {"limits": limits._asdict(), "threads": threads}).encode()
    # The environment of this process is not passed on to code that handles untrusted files.
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(text)
        given.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-m", CHILD_MODULE],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=PROJECT_ROOT,
            env=env,
        )
        try:
            answer = _listen(child, limits, on_progress)
            if answer is None:
                with suppress(subprocess.TimeoutExpired):  # It closed its output; the exit code tells why.
                    child.wait(2)
        finally:
            child.kill()
            code = child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if answer is None:
            errors.seek(0)
            raise InvalidDatasetError(_describe_exit(code, errors.read().decode(errors="replace"), limits))
    if "refused" in answer:
        raise InvalidDatasetError(answer["refused"])
    return answer["found"]


def _listen(
    child: subprocess.Popen[bytes], limits: UploadLimits, on_progress: ProgressCallback
) -> dict[str, Any] | None:
    """Reads the child's output; None if it ends without a result."""
    assert child.stdout is not None
    end, rest, progress = time.monotonic() + 60 * limits.minutes, b"", ("decode", 0, 0)
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while True:
            if ready.select(POLL_INTERVAL):
                piece = os.read(child.stdout.fileno(), 1 << 16)
                if not piece or len(rest) > _LONGEST_LINE:
                    return None
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    message = json.loads(line)
                    if isinstance(message, dict):
                        return message
                    progress = (message[0], message[1], message[2])
            on_progress(*progress)
            if time.monotonic() > end:
                raise InvalidDatasetError(_too_long(limits))


def _too_long(limits: UploadLimits) -> str:
    return (
        f"The images were not decoded within {limits.minutes:,} minutes, so the import was stopped. "
        f"Remove some, or make them smaller. {limit_hint('minutes')}"
    )


def _describe_exit(code: int, errors: str, limits: UploadLimits) -> str:
    if code == -signal.SIGXCPU:
        return _too_long(limits)
    if code == -signal.SIGKILL or "MemoryError" in errors:
        return "Decoding these images took more memory than allowed. Remove some, or make them smaller."
    last = errors.strip().splitlines()[-1][:120] if errors.strip() else "no output"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"The process that decodes images died ({how}: {last}). One of the images may be crafted to cause that."
