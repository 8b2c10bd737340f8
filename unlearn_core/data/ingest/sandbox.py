"""The other side of `child`: starts the limited process, passes on what it says, and ends it when it must end."""

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

from unlearn_core.data.ingest.decode_batch import Tell
from unlearn_core.data.ingest.upload_limits import Limits, change
from unlearn_core.domain.errors import BadPictures

ROOT = Path(__file__).resolve().parents[3]
CHILD = "unlearn_core.data.ingest.decode_worker"
TICK = 0.2
"""Seconds in which a cancel is heard at the latest."""
_LONGEST_LINE = 1 << 26
_MOST_THREADS = 8


def prepare(job: dict[str, Any], *, most: Limits, tell: Tell) -> dict[str, Any]:
    """Has a child prepare pictures (see `child`), and gives what it found.

    Raises BadPictures with its reason, or with why it died; and whatever `tell` raises, which ends the child too.
    """
    threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    text = json.dumps(job | {"limits": most._asdict(), "threads": threads}).encode()
    # Nothing of this process's environment is a stranger's business.
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(text)
        given.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-m", CHILD], stdin=given, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=env
        )
        try:
            answer = _listen(child, most, tell)
            if answer is None:
                with suppress(subprocess.TimeoutExpired):  # It closed its mouth; how it dies says why.
                    child.wait(2)
        finally:
            child.kill()
            code = child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if answer is None:
            errors.seek(0)
            raise BadPictures(_of_death(code, errors.read().decode(errors="replace"), most))
    if "refused" in answer:
        raise BadPictures(answer["refused"])
    return answer["found"]


def _listen(child: subprocess.Popen[bytes], most: Limits, tell: Tell) -> dict[str, Any] | None:
    """Hears the child out; None where it ends without a last word."""
    assert child.stdout is not None
    end, rest, told = time.monotonic() + 60 * most.minutes, b"", ("decode", 0, 0)
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while True:
            if ready.select(TICK):
                piece = os.read(child.stdout.fileno(), 1 << 16)
                if not piece or len(rest) > _LONGEST_LINE:
                    return None
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    said = json.loads(line)
                    if isinstance(said, dict):
                        return said
                    told = (said[0], said[1], said[2])
            tell(*told)
            if time.monotonic() > end:
                raise BadPictures(_too_long(most))


def _too_long(most: Limits) -> str:
    return (
        f"The pictures were not decoded within {most.minutes:,} minutes, so this was stopped. "
        f"Take some out, or make them smaller. {change('minutes')}"
    )


def _of_death(code: int, errors: str, most: Limits) -> str:
    if code == -signal.SIGXCPU:
        return _too_long(most)
    if code == -signal.SIGKILL or "MemoryError" in errors:
        return "Decoding these pictures took more memory than it may. Take some out, or make them smaller."
    last = errors.strip().splitlines()[-1][:120] if errors.strip() else "it said nothing"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"The process that decodes pictures died ({how}: {last}). One of the pictures may be made to do that."
