"""ActiveRun, a run that a child process executes, and how its outcome is reported to the store."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import TIMED_KINDS, Run, Silence
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.failures import Outcome, describe_exit, describe_silence, record
from unlearn_core.worker.listener import REPORT_INTERVAL


@dataclass
class ActiveRun:
    """A run in progress: `index` is its position in its stack, `report_interval` the seconds between its heartbeats."""

    run: Run
    index: int = 0
    report_interval: float = REPORT_INTERVAL
    last_heartbeat: float = field(default_factory=time.monotonic)
    """The time of its last heartbeat to the store."""
    cancelled_at: float | None = None
    """When the child was told to stop it."""
    outcome: Outcome | None = None
    """How it ended, until that is reported to the store."""
    loads: list[float] = field(default_factory=list[float])
    """The cores that other programs used, second by second."""
    is_owned: bool = True
    """False once its lease is lost: it is stopped, and its outcome is not reported."""


def outcome_of_crash(active_run: ActiveRun, data_dir: Path, *, code: int | None) -> Outcome:
    """Return the outcome of a run whose child died by itself with this exit code.

    The first time the run is restarted; the second time its reason is shown, and names a bug report.
    """
    if active_run.cancelled_at is not None:
        return Outcome("cancelled")
    run = active_run.run
    reason = describe_exit(code, is_first=run.deaths == 0)
    return Outcome("crashed", reason=record(reason, data_dir, run) if run.deaths else reason)


def outcome_of_kill(active_run: ActiveRun, silence: Silence | None, *, is_alone: bool) -> Outcome:
    """Return the outcome of a run whose child was killed: for its `silence`, or because a run did not stop.

    In a stack, it is not known which of the runs was silent: each is restarted alone.
    """
    if active_run.cancelled_at is not None:
        return Outcome("cancelled")
    if silence is None:
        return Outcome("preempted")
    return Outcome("failed" if is_alone else "crashed", reason=describe_silence(silence))


def report_outcome(store: RunStore, active_run: ActiveRun, outcome: Outcome) -> None:
    """Report the outcome of a run to the store. Raises LeaseLostError if this worker no longer holds it."""
    run, loads = active_run.run, active_run.loads
    match outcome.state:
        case "done":
            metrics = outcome.metrics or RunMetrics()
            if loads and run.spec.kind in TIMED_KINDS:
                metrics = metrics.updated(RunMetrics(load=round(fmean(loads), 2)))
            store.execution.finish(run.id, run.attempt, metrics=metrics)
        case "failed":
            store.execution.fail(run.id, run.attempt, outcome.reason)
        case "cancelled":
            store.execution.mark_cancelled(run.id, run.attempt)
        case "preempted":
            store.execution.requeue(run.id, run.attempt)
        case "crashed":
            store.execution.mark_crashed(run.id, run.attempt, outcome.reason)
