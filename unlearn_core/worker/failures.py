"""How a run ended, and its failures as sentences that say what to do next."""

import signal
import traceback
from pathlib import Path
from typing import Literal, NamedTuple

from unlearn_core.domain.errors import CancelledError, PreemptedError, UnlearnError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Run
from unlearn_core.store.files import error_report
from unlearn_core.store.files.error_report import MEMORY_ADVICE
from unlearn_core.store.files.log_file import LOG_FILE


class Outcome(NamedTuple):
    """How a run ended. `restart_child`: its process should not execute another run."""

    state: Literal["done", "failed", "cancelled", "preempted", "crashed"]
    metrics: RunMetrics | None = None
    reason: str = ""
    traceback: str = ""
    """The full traceback, for the log."""
    restart_child: bool = False


def outcome_of(problem: Exception, data_dir: Path, run: Run | None = None) -> Outcome:
    """Return the outcome of a run that raised this exception; an unforeseen one gets a bug report."""
    if isinstance(problem, CancelledError):
        return Outcome("cancelled")
    if isinstance(problem, PreemptedError):
        return Outcome("preempted")
    if isinstance(problem, UnlearnError):
        return Outcome("failed", reason=str(problem))
    full_traceback = "".join(traceback.format_exception(problem))
    reason = error_report.foreseen_reason(problem, data_dir) or record(problem, data_dir, run)
    return Outcome("failed", reason=reason, traceback=full_traceback, restart_child=True)


def record(problem: Exception | str, data_dir: Path, run: Run | None) -> str:
    """Write the bug report of a run that failed, and return the sentence that names it."""
    task, request = ("a run", "") if run is None else (f"run {run.id}, {run.title}", run.spec.model_dump_json(indent=1))
    return error_report.record(problem, data_dir, task=task, request=request).sentence


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
