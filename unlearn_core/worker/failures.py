"""How a run ended, and its failures as sentences that say what to do next."""

import signal
import traceback
from pathlib import Path
from typing import Literal, NamedTuple

from unlearn_core.domain.errors import CancelledError, PreemptedError, UnlearnError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Run, Silence
from unlearn_core.engine.forecasts.duration import format_range
from unlearn_core.settings import limit_hint
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


def describe_exit(code: int | None, *, is_first: bool) -> str:
    """Return how the process of a run died, with this exit code; a negative code is a signal number.

    After the first death the run is started again; after the second it has failed, and this is the reason.
    """
    if is_first:
        return f"Its process ended with {_exit_name(code)}."
    if code == -signal.SIGKILL:
        how = "The process of this run was killed twice (signal 9, SIGKILL), which usually means out of memory."
        return f"{how} {MEMORY_ADVICE}"
    verb = "crashed" if code is not None and code < 0 else "exited"
    how = f"The process of this run {verb} twice, most recently with {_exit_name(code)}."
    return f"{how} See the end of {LOG_FILE} in the data folder, then start the run again."


def _exit_name(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unknown"
        return f"signal {-code} ({name})"
    return f"exit code {code}"


def describe_silence(silence: Silence) -> str:
    """Return why a run was stopped that made no step for so long."""
    duration = format_range(silence.limit, silence.limit)
    return (
        f"This run was stopped because it made no step for {duration}: its method may compute without end, or does not "
        f"report its steps. {limit_hint('most_silent_minutes')}"
    )
