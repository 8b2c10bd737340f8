"""A run in the hands of a worker, and what its end means to the store."""

import time
from dataclasses import dataclass, field

from unlearn_core.domain.run import Run
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.failures import Outcome, describe_exit
from unlearn_core.worker.listener import REPORT_INTERVAL


@dataclass
class ActiveRun:
    """A run in hand. `place` is its place among those that are made side by side; `rhythm` how often it is heard of."""

    run: Run
    index: int = 0
    report_interval: float = REPORT_INTERVAL
    last_heartbeat: float = field(default_factory=time.monotonic)
    """When the store last heard that the run is alive."""
    cancelled_at: float | None = None
    """When the child was asked to stop it."""
    outcome: Outcome | None = None
    """How it ended, until the store knows."""
    is_owned: bool = True
    """False once the store has taken it away: it is stopped, and its end told to nobody."""


def outcome_of_crash(active_run: ActiveRun, *, dead: bool, code: int | None) -> Outcome:
    """How a run ended whose child is gone: `dead` by itself, or killed because it did not stop this run or another."""
    if active_run.cancelled_at is not None:
        return Outcome("cancelled")
    return Outcome("died", reason=describe_exit(code)) if dead else Outcome("gave way")


def report_outcome(store: RunStore, run: Run, outcome: Outcome) -> None:
    """Tells the store how a run ended. Raises Fenced where that is no longer ours to say."""
    match outcome.state:
        case "done":
            store.finish(run.id, run.attempt, metrics=outcome.metrics or {})
        case "failed":
            store.fail(run.id, run.attempt, outcome.reason)
        case "cancelled":
            store.mark_cancelled(run.id, run.attempt)
        case "gave way":
            store.requeue(run.id, run.attempt)
        case "died":
            store.mark_crashed(run.id, run.attempt, outcome.reason)
