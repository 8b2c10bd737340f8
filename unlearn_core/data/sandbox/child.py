"""The child process of a sandbox: `python -m unlearn_core.data.sandbox.child package.module:function`.

It imports the function, limits itself, and calls the function with the job that stdin holds. It writes lines of JSON:
["phase", done, total] for progress, and at the end {"result": ...}, {"refused": "a sentence"} or {"memory": null}.
"""

import ctypes
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from unlearn_core.data.sandbox import JobContext, Limits, ProgressCallback
from unlearn_core.domain.errors import UnlearnError

PROGRESS_INTERVAL = 0.2
"""Least time between two lines of progress, in seconds."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main(function: str) -> None:
    """Does the job; exits without cleaning up, because threads may hang in a decoder."""
    order = json.load(sys.stdin)
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What a library prints is no answer.
    leave_network()
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    confine(Limits(**order["limits"]))
    context = JobContext(_throttled_progress(output), lambda size: _limit(resource.RLIMIT_FSIZE, size))
    try:
        answer = {"result": work(order["job"], context)}
    except UnlearnError as problem:
        answer = {"refused": str(problem)}
    except MemoryError:
        answer = {"memory": None}
    _write(output, answer)
    os._exit(0)


def leave_network() -> bool:
    """Moves this process into a network of its own, without devices; returns whether the kernel allows that.

    It must be called before there are threads. Only root can do without a user namespace, in which it would lose its
    access to other users' files.
    """
    own_user = _CLONE_NEWUSER if os.geteuid() else 0
    return ctypes.CDLL(None).unshare(own_user | _CLONE_NEWNET) == 0


def confine(limits: Limits) -> None:
    """Limits this process for good."""
    imported = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, limits.memory + limits.beyond_imports * imported)
    # The signal of the soft limit tells why the process ended.
    cpu_seconds = limits.seconds * limits.threads
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


def _throttled_progress(output: TextIO) -> ProgressCallback:
    """Writes progress, at most once per PROGRESS_INTERVAL and when a phase is done."""
    due = 0.0

    def report(phase: str, done: int, total: int) -> None:
        nonlocal due
        if time.monotonic() >= due or done == total:
            due = time.monotonic() + PROGRESS_INTERVAL
            _write(output, [phase, done, total])

    return report


def _write(output: TextIO, value: Any) -> None:
    print(json.dumps(value), file=output, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
