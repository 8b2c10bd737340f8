"""Repeats of a run from other seeds: submit them, list them, and collect their metrics."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import CurvesResult, SeedRun, SeedsResult, TimingsResult
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import scheduling

GROUP_PREFIX = "seeds-"
MAX_SEEDS = 20
"""The most seeds that can be submitted at once."""


def seed_group(spec: UnlearnSpec) -> str:
    """Return the group of all runs that differ only in their seed."""
    return GROUP_PREFIX + fingerprint(spec.model_copy(update={"seed": 0}))


class SeedRepeats:
    """The repeated runs of one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def submit(self, run: Run, count: int, *, owner: str | None = None) -> list[int]:
        """Queue more runs with the same hyperparameters from new seeds, at low priority.

        All of them or none. Raises InvalidRequestError if the run cannot be repeated, StoreError if the queue is full.
        """
        spec = run.spec
        if not isinstance(spec, UnlearnSpec):
            raise InvalidRequestError(f"{run.title} cannot be repeated: only unlearning runs can.")
        if not 1 <= count <= MAX_SEEDS:
            raise InvalidRequestError(f"Cannot submit {count} seeds at once: choose from 1 to {MAX_SEEDS}.")
        owner, run_ids = self._access.owner(owner), list[int]()
        with self._database.writing() as connection:
            self._access.row(connection, RUN, run.id)
            self._access.check_spec(connection, spec)
            known = _seed_family(connection, run.id, spec, self._access)
            taken = {own.spec.seed for own in known if own.state not in (RunState.FAILED, RunState.CANCELLED)}
            for seed in _unused_seeds(taken | {spec.seed}, count):
                scheduling.check_quota(connection, spec.kind, owner)
                again = spec.model_copy(update={"seed": seed})
                row = rows.new_row(again, title=run.title, owner=owner, priority=Priority.SWEEP, now=time.time())
                row |= {"group": seed_group(spec), "parent": run.id}
                run_ids.append(connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one())
        return run_ids

    def runs_of(self, run: Run) -> list[Run]:
        """Return this run with its repeats, or with the run that it repeats and its other repeats, by seed.

        Runs of every state; for each seed the newest finished run, else the newest. A run without repeats is alone.
        """
        if not isinstance(run.spec, UnlearnSpec):
            return [run]
        with self._database.reading() as connection:
            found = _seed_family(connection, run.id, run.spec, self._access)
        best: dict[int, Run] = {}
        for own in sorted(found, key=lambda own: (own.id == run.id, own.state is RunState.DONE, own.id)):
            best[own.spec.seed] = own
        return [best[seed] for seed in sorted(best)]


def _seed_family(connection: Connection, run: int, spec: UnlearnSpec, access: Access) -> list[Any]:
    """Return every readable run of the group, the repeated run and this one: all with this spec except the seed."""
    group = seed_group(spec)
    in_group = select(RUN.c.id).where(RUN.c.group == group)
    began = select(RUN.c.parent).where(RUN.c.group == group, RUN.c.parent.is_not(None))
    same = (RUN.c.request == spec.request.fingerprint()) & (RUN.c.kind == spec.kind)
    # By their ids, because otherwise the database reads every run of this request.
    numbers = {run, *connection.scalars(in_group.union(began))}
    wanted = select(RUN).where(RUN.c.id.in_(numbers), same, access.readable(RUN))
    return [
        own
        for own in rows.to_runs(connection.execute(wanted))
        if isinstance(own.spec, UnlearnSpec) and seed_group(own.spec) == group
    ]


def _unused_seeds(taken: set[int], count: int) -> list[int]:
    """Return the smallest unused seeds."""
    return [seed for seed in range(len(taken) + count) if seed not in taken][:count]


def with_seeds(report: Report, data_dir: Path, runs: Sequence[Run]) -> Report:
    """Return the report with the result of its finished repeats, or unchanged if there are none."""
    result = seeds_result(data_dir, runs)
    return report if result is None else report.with_result(result)


def seeds_result(data_dir: Path, runs: Sequence[Run]) -> SeedsResult | None:
    """Return the metrics of finished runs as their measurements stored them; None if fewer than two can be read."""
    found: list[SeedRun] = []
    curves: dict[str, CurvesResult] = {}
    for run in runs:
        folder = artifacts.run_dir(data_dir, run.id)
        accuracy = artifacts.read_result(folder, AccuracyResult)
        if accuracy is None or not isinstance(run.spec, UnlearnSpec):
            continue
        curve = artifacts.read_result(folder, CurvesResult)
        if curve is not None:
            curves[str(len(found))] = curve
        found.append(_seed_run(run.id, run.spec.seed, folder, accuracy))
    if len(found) < 2:
        return None
    return SeedsResult(
        runs=found,
        steps={place: curve.steps for place, curve in curves.items()},
        forget={place: curve.forget for place, curve in curves.items()},
        retain={place: curve.retain for place, curve in curves.items()},
    )


def _seed_run(run: int, seed: int, folder: Path, accuracy: AccuracyResult) -> SeedRun:
    distance, membership = (
        artifacts.read_result(folder, DistanceResult),
        artifacts.read_result(folder, MembershipResult),
    )
    overall = distance.overall.get("test") if distance else None
    timings = artifacts.read_result(folder, TimingsResult)
    return SeedRun(
        run=run,
        seed=seed,
        accuracy={
            model: {name: score.accuracy for name, score in sets.items() if score.total}
            for model, sets in accuracy.scores.items()
        },
        distance={"before": overall.before, "after": overall.after} if overall else None,
        privacy=membership.privacy.get("after") if membership else None,
        seconds=timings.seconds.forget if timings else None,
    )
