"""How a run ended, and its failures as sentences that say what to do next."""

import errno
import re
import shutil
import signal
import traceback
from pathlib import Path
from typing import Literal, NamedTuple

from unlearn_core.domain.errors import CancelledError, PreemptedError, UnlearnError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.files.log_file import LOG_FILE

MEMORY_ADVICE = "Reduce the batch size, or close other programs that use this memory; then start the run again."


class Outcome(NamedTuple):
    """How a run ended. `restart_child`: its process should not execute another run."""

    state: Literal["done", "failed", "cancelled", "preempted", "crashed"]
    metrics: RunMetrics | None = None
    reason: str = ""
    traceback: str = ""
    """The full traceback, for the log."""
    restart_child: bool = False


def outcome_of(problem: Exception, data_dir: Path) -> Outcome:
    """Return the outcome of a run that raised this exception."""
    if isinstance(problem, CancelledError):
        return Outcome("cancelled")
    if isinstance(problem, PreemptedError):
        return Outcome("preempted")
    if isinstance(problem, UnlearnError):
        return Outcome("failed", reason=str(problem))
    full_traceback = "".join(traceback.format_exception(problem))
    reason = _sentence(problem, data_dir).encode("utf-8", "backslashreplace").decode()  # such as from odd file names
    return Outcome("failed", reason=reason, traceback=full_traceback, restart_child=True)


def describe_exit(code: int | None) -> str:
    """Return why a run failed whose process died with this exit code; a negative code is a signal number."""
    if code == -signal.SIGKILL:
        how = "The process of this run was killed twice (signal 9, SIGKILL), which usually means out of memory."
        return f"{how} {MEMORY_ADVICE}"
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unknown"
        how = f"crashed twice, most recently with signal {-code} ({name})"
    else:
        how = f"exited twice, most recently with exit code {code}"
    return f"The process of this run {how}. See the end of {LOG_FILE} in the data folder, then start the run again."


def _sentence(problem: Exception, data_dir: Path) -> str:
    if _is_out_of_memory(problem):
        requested = re.search(r"allocate ([\d.]+ ?\w+)", str(problem))
        free = re.search(r"of which ([\d.]+ ?\w+) is free", str(problem))
        needed = (
            f" It needed {requested[1]} more" + (f", but {free[1]} were free." if free else ".") if requested else ""
        )
        return f"The device ran out of memory.{needed} {MEMORY_ADVICE}"
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(data_dir).free / 1e6
        return f"The disk with {data_dir} is full ({free:,.0f} MB free). Free some space, then start the run again."
    what = f"{type(problem).__name__}: {problem}".strip().rstrip(":.")
    return f"Unexpected error: {what}. See {data_dir / LOG_FILE} for the traceback."


def _is_out_of_memory(problem: Exception) -> bool:
    # torch's class is recognised by name, so that this module need not import torch.
    named = type(problem).__name__ == "OutOfMemoryError"
    return named or isinstance(problem, MemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(problem)
