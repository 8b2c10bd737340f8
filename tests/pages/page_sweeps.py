"""Sweeps in a store, with runs that were never carried out but for their figures."""

import shutil
import sqlite3
from contextlib import closing
from typing import Any

from tests.pages.finished_runs import CLASS, by_class
from tests.store.specs import sql
from unlearn_core.domain.results.metrics import DistanceMetrics, JobSeconds, RunMetrics
from unlearn_core.domain.sweeps.sweep import Sweep, SweepSpec, SweepState
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore

ME = "a worker"
RATE = {"knob": "impair_lr", "low": 0.0002, "high": 0.02, "log": True}
EPOCHS = {"knob": "repair_epochs", "low": 1, "high": 4, "whole": True, "step": 1}
NORM = {"knob": "augment", "values": [False, True]}


def wanted(*ranges: dict[str, Any], **changes: Any) -> SweepSpec:
    run = by_class()
    fields = {"request": run.request, "method": run.method, "params": run.params, "ranges": ranges or (RATE,)}
    return SweepSpec.model_validate(fields | {"objectives": ["forget", "retain"], "trials": 8} | changes)


def begin(store: RunStore, *ranges: dict[str, Any], **changes: Any) -> int:
    return store.sweeps.submit(wanted(*ranges, **changes), title="Forget discs with UNSIR")


def held(store: RunStore, number: int) -> Sweep:
    """The sweep, with its lease in our hands."""
    return next(one for one in store.sweeps.acquire_leases(ME) if one.id == number)


def add(store: RunStore, number: int, place: int, *, fate: str = "done", reports: bool = False) -> int:
    """A trial that ended so, or is queued or running; the run's number."""
    sweep = held(store, number)
    rate = round(0.0002 * 100 ** (place / 7), 6)
    every = {
        "impair_lr": min(rate, 0.02),
        "repair_epochs": 1 + place % 4,
        "augment": bool(place % 2),
        "batch": 32 + 32 * (place % 4),
    }
    params = {one.knob: every[one.knob] for one in sweep.spec.ranges}
    run = store.sweeps.add_trial(sweep, ME, number=place, params=params, attributes={})
    assert run is not None
    if fate == "queued":
        return run
    claimed = store.execution.claim(ME, device="cpu", kinds={"unlearn"})
    assert claimed is not None and claimed.id == run
    if fate == "failed":
        store.execution.fail(run, claimed.attempt, "The loss is no longer a number.")
    elif fate == "stopped":
        store.sweeps.prune_trial(run, "Stopped early at step 4 of impair.")
        store.execution.mark_cancelled(run, claimed.attempt)
    elif fate == "done":
        store.execution.finish(run, claimed.attempt, metrics=metrics(place))
    if reports:
        shutil.copytree(
            artifacts.run_dir(store.data_dir, CLASS), artifacts.run_dir(store.data_dir, run), dirs_exist_ok=True
        )
    return run


def metrics(place: int) -> RunMetrics:
    after = {"forget_val": 0.7 - 0.09 * place, "retain_val": 0.9 - 0.03 * place}
    after |= {"forget_test": after["forget_val"], "retain_test": after["retain_val"] - 0.01}
    gold = {"forget_val": 0.05, "retain_val": 0.88, "forget_test": 0.05, "retain_test": 0.87}
    return RunMetrics(
        accuracy={"before": gold | {"forget_val": 0.9}, "after": after, "gold": gold},
        distance={"val": DistanceMetrics(before=0.4, after=0.3 - 0.03 * place)},
        privacy_val=0.5,
        seconds=JobSeconds(total=5.0, forget=3.0 + place),
    )


def end(store: RunStore, number: int, state: SweepState = SweepState.DONE, error: str | None = None) -> None:
    held(store, number)
    store.sweeps.end(number, ME, state, error=error)


def add_copies(store: RunStore, number: int, places: range) -> None:
    """Finished trials with these numbers, past the store: each the same as one of the first eight."""
    columns = [row[1] for row in sql(store.data_dir, "PRAGMA table_info(run)")]
    kept = ", ".join(f'"{name}"' for name in columns if name != "id")
    like = "(SELECT run FROM trial WHERE sweep = ? AND number = ?)"
    run = f"INSERT INTO run ({kept}) SELECT {kept} FROM run WHERE id = {like}"
    rest = "SELECT ?, ?, (SELECT max(id) FROM run), params, attributes FROM trial WHERE sweep = ? AND number = ?"
    with closing(sqlite3.connect(store.data_dir / "lab.db", timeout=30)) as connection, connection:
        for place in places:
            connection.execute(run, (number, place % 8))
            connection.execute(
                f"INSERT INTO trial (sweep, number, run, params, attributes) {rest}", (number, place, number, place % 8)
            )
