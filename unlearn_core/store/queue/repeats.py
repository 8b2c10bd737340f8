"""Repeats of a run from other seeds: submit them, list them, and collect their metrics."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, or_, select

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import scheduling

GROUP_PREFIX = "seeds-"
MAX_SEEDS = 20
"""The most seeds that can be submitted at once."""
PART = "seeds"
"""The name of the report part of a repeated run."""


def seed_group(spec: UnlearnSpec) -> str:
    """Return the group of all runs that differ only in their seed."""
    return GROUP_PREFIX + fingerprint(spec.model_copy(update={"seed": 0}))


class SeedRepeats:
    """The repeated runs of one data folder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, run: Run, count: int, *, owner: str = "local") -> list[int]:
        """Queue more runs with the same hyperparameters from new seeds, at low priority.

        All of them or none. Raises InvalidRequestError if the run cannot be repeated, StoreError if the queue is full.
        """
        spec = run.spec
        if not isinstance(spec, UnlearnSpec):
            raise InvalidRequestError(f"{run.title} cannot be repeated: only unlearning runs can.")
        if not 1 <= count <= MAX_SEEDS:
            raise InvalidRequestError(f"Cannot submit {count} seeds at once: choose from 1 to {MAX_SEEDS}.")
        run_ids: list[int] = []
        with self._database.writing() as connection:
            known = _seed_family(connection, run.id, spec)
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
            found = _seed_family(connection, run.id, run.spec)
        best: dict[int, Run] = {}
        for own in sorted(found, key=lambda own: (own.id == run.id, own.state is RunState.DONE, own.id)):
            best[own.spec.seed] = own
        return [best[seed] for seed in sorted(best)]


def _seed_family(connection: Connection, run: int, spec: UnlearnSpec) -> list[Any]:
    """Return every run of the group, the repeated run and this one: all with this spec except the seed."""
    group = seed_group(spec)
    began = select(RUN.c.parent).where(RUN.c.group == group, RUN.c.parent.is_not(None))
    mine = or_(RUN.c.group == group, RUN.c.id.in_(began), RUN.c.id == run)
    wanted = select(RUN).where(RUN.c.request == spec.request.fingerprint(), RUN.c.kind == spec.kind, mine)
    found = [rows.to_run(row) for row in connection.execute(wanted)]
    return [own for own in found if isinstance(own.spec, UnlearnSpec) and seed_group(own.spec) == group]


def _unused_seeds(taken: set[int], count: int) -> list[int]:
    """Return the smallest unused seeds."""
    return [seed for seed in range(len(taken) + count) if seed not in taken][:count]


def add_seeds_part(report: Report, data_dir: Path, runs: Sequence[Run]) -> Report:
    """Return the report with a part on its finished repeats, or unchanged if there are none."""
    part = seeds_part(data_dir, runs)
    return report if part is None else replace(report, parts={**report.parts, PART: part})


def seeds_part(data_dir: Path, runs: Sequence[Run]) -> ReportPart | None:
    """Return the metrics of finished runs as their measurements stored them; None if fewer than two can be read.

    Facts per run: number, seed, accuracies by model and set, distances to the retrained model, privacy and seconds
    (None if not measured). Arrays per run: its curve, `step_0`, `forget_0`, `retain_0`, ...
    """
    facts: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for run in runs:
        folder = artifacts.run_dir(data_dir, run.id)
        accuracy = artifacts.read_result(folder, AccuracyResult)
        if accuracy is None or not isinstance(run.spec, UnlearnSpec):
            continue
        curve = artifacts.read_part(folder, "curves")
        if curve is not None:
            arrays |= {f"{name}_{len(facts)}": curve.arrays[name] for name in ("step", "forget", "retain")}
        facts.append({"run": run.id, "seed": run.spec.seed, **_metrics_of(folder, accuracy)})
    return ReportPart({"runs": facts}, arrays) if len(facts) > 1 else None


def _metrics_of(folder: Path, accuracy: AccuracyResult) -> dict[str, Any]:
    distance, membership, timings = (
        artifacts.read_part(folder, name) for name in ("distance", "membership", "timings")
    )
    overall = distance.facts["distance"]["test"] if distance else {}
    return {
        "accuracy": {
            model: {name: score.accuracy for name, score in sets.items() if score.total}
            for model, sets in accuracy.scores.items()
        },
        "distance": {model: overall[model] for model in ("before", "after")} if overall else None,
        "privacy": (membership.facts.get("privacy") or {}).get("after") if membership else None,
        "seconds": timings.facts["seconds"]["forget"] if timings else None,
    }
