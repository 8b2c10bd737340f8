"""What went wrong, in sentences that say what to do next."""

import errno
import re
import shutil
import signal
import traceback
from pathlib import Path
from typing import Any, Literal, NamedTuple

from unlearn_core.domain.errors import CancelledError, PreemptedError, UnlearnError
from unlearn_core.store.files.log_file import LOG_FILE

MEMORY_ADVICE = "Turn the batch size down, or end what else uses that memory; then start the run again."


class Outcome(NamedTuple):
    """How a run ended. `renew`: the process that ran it had better not run another."""

    state: Literal["done", "failed", "cancelled", "gave way", "died"]
    metrics: dict[str, Any] | None = None
    reason: str = ""
    traceback: str = ""
    """The full traceback, for the log."""
    restart_child: bool = False


def outcome_of(problem: Exception, data_dir: Path) -> Outcome:
    """How a run ended that raised this."""
    if isinstance(problem, CancelledError):
        return Outcome("cancelled")
    if isinstance(problem, PreemptedError):
        return Outcome("gave way")
    if isinstance(problem, UnlearnError):
        return Outcome("failed", reason=str(problem))
    account = "".join(traceback.format_exception(problem))
    reason = _sentence(problem, data_dir).encode("utf-8", "backslashreplace").decode()  # odd file names, say
    return Outcome("failed", reason=reason, traceback=account, restart_child=True)


def describe_exit(code: int | None) -> str:
    """Why a run is given up whose process died with this exit code; a negative one is a signal's number."""
    if code == -signal.SIGKILL:
        how = "The process that ran it was killed twice (signal 9, SIGKILL), as the system does when memory runs out."
        return f"{how} {MEMORY_ADVICE}"
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unknown"
        how = f"crashed twice, at last with signal {-code} ({name})"
    else:
        how = f"ended by itself twice, at last with exit code {code}"
    return f"The process that ran it {how}. Look at the end of {LOG_FILE} in the data folder, then start the run again."


def _sentence(problem: Exception, data_dir: Path) -> str:
    if _is_out_of_memory(problem):
        asked = re.search(r"allocate ([\d.]+ ?\w+)", str(problem))
        free = re.search(r"of which ([\d.]+ ?\w+) is free", str(problem))
        needed = f" It needed {asked[1]} more" + (f", and {free[1]} were free." if free else ".") if asked else ""
        return f"The device ran out of memory.{needed} {MEMORY_ADVICE}"
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(data_dir).free / 1e6
        return f"The disk that holds {data_dir} is full ({free:,.0f} MB free). Delete runs or make room, then start it again."
    what = f"{type(problem).__name__}: {problem}".strip().rstrip(":.")
    return f"It stopped at an error of its own, {what}. The full account is in {data_dir / LOG_FILE}."


def _is_out_of_memory(problem: Exception) -> bool:
    # torch's own class is known by its name, so that this module need not import torch.
    named = type(problem).__name__ == "OutOfMemoryError"
    return named or isinstance(problem, MemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(problem)
