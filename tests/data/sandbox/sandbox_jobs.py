"""Functions that stand in for the work on untrusted files in a sandboxed process, and misbehave there."""

import mmap
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from unlearn_core.data.sandbox import JobContext
from unlearn_core.domain.errors import UnlearnError


def reports_limits(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Says how the process is limited; takes four gigabytes if they are to be had."""
    limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in ("AS", "CPU", "FSIZE", "CORE")}
    context.limit_file_size(10)
    try:
        mmap.mmap(-1, 4 << 30).close()
        refused = ""
    except OSError as problem:
        refused = str(problem.strerror)
    return limits | {
        "pid": os.getpid(),
        "environment": sorted(os.environ),
        "lowered": resource.getrlimit(resource.RLIMIT_FSIZE),
        "refused": refused,
        "job": job,
    }


def hangs(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """A decoder in the midst of its work: it has begun a file, says so, and gets no further."""
    Path(job["out"], "images.npy").write_bytes(b"the first of them")
    context.on_progress("decode", 60, 180)
    time.sleep(600)
    return {}


def exceeds_cpu(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Has used up its time on the processor."""
    os.kill(os.getpid(), signal.SIGXCPU)
    return {}


def segfaults(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """A file has crashed it."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def is_killed(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Ends as the kernel ends a process when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def spins(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Never gives its processor back."""
    while True:
        pass


def allocates(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Wants a gigabyte."""
    return {"size": len(bytes(1 << 30))}


def writes(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Writes a file of so many bytes."""
    try:
        Path(job["file"]).write_bytes(bytes(job["size"]))
    except OSError as problem:
        raise UnlearnError(f"It cannot be written: {problem.strerror}.") from None
    return {"size": Path(job["file"]).stat().st_size}


def refuses(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Has a reason."""
    raise UnlearnError("It is no file of ours.")


def raises(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Has a fault, and much to say about it."""
    print("x" * 10_000, file=sys.stderr)
    raise KeyError(job["text"])


def chats(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Prints what is no answer, as libraries do."""
    print('{"result": "a lie"}', flush=True)
    os.system("echo chat")  # noqa: S605 (a constant, and it is what a C library would do)
    return {"text": job["text"]}


def connects(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Wants to talk to a server on this machine."""
    try:
        socket.create_connection(("127.0.0.1", job["port"]), timeout=5).close()
    except OSError as problem:
        raise UnlearnError(f"No network: {problem.strerror}.") from None
    return {}


def is_taken_over(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Writes what it likes to where its answer belongs: what code in a file would do that got hold of the process."""
    for handle in range(3, 20):
        try:
            if Path(f"/proc/self/fd/{handle}").readlink().name.startswith("pipe:"):
                for text in job["texts"]:
                    os.write(handle, text.encode() * job.get("times", 1))
                if job.get("close"):
                    os.close(handle)
        except OSError:
            continue
    time.sleep(600)
    return {}
