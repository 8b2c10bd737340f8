"""A run in the hands of a worker, and what its end means to the store."""

import time
from dataclasses import dataclass, field

from unlearn_core.domain.run import Run
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.failures import Outcome, of_death
from unlearn_core.worker.listener import RHYTHM


@dataclass
class Hand:
    """A run in hand. `place` is its place among those that are made side by side; `rhythm` how often it is heard of."""

    run: Run
    place: int = 0
    rhythm: float = RHYTHM
    heard: float = field(default_factory=time.monotonic)
    """When the store last heard that the run is alive."""
    cancelled: float | None = None
    """When the child was asked to stop it."""
    outcome: Outcome | None = None
    """How it ended, until the store knows."""
    ours: bool = True
    """False once the store has taken it away: it is stopped, and its end told to nobody."""


def of_lost(hand: Hand, *, dead: bool, code: int | None) -> Outcome:
    """How a run ended whose child is gone: `dead` by itself, or killed because it did not stop this run or another."""
    if hand.cancelled is not None:
        return Outcome("cancelled")
    return Outcome("died", reason=of_death(code)) if dead else Outcome("gave way")


def tell(store: RunStore, run: Run, outcome: Outcome) -> None:
    """Tells the store how a run ended. Raises Fenced where that is no longer ours to say."""
    match outcome.state:
        case "done":
            store.finish(run.id, run.attempt, headline=outcome.headline or {})
        case "failed":
            store.fail(run.id, run.attempt, outcome.reason)
        case "cancelled":
            store.cancelled(run.id, run.attempt)
        case "gave way":
            store.requeue(run.id, run.attempt)
        case "died":
            store.lost(run.id, run.attempt, outcome.reason)
