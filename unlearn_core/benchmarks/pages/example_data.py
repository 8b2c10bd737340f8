"""A data folder with reports, a long history and a large sweep, without computing any of it."""

import json
import random
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import forget_set_title
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepSpec, SweepState, sweep_group
from unlearn_core.engine.measuring import measure
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN, SWEEP, TRIAL
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.queue.run_store import RunStore

REPORTS = 4
"""Finished runs with a report, which is that of the bundled example; their ids are 1 to 4."""
SWEPT = "impair_lr"
"""The hyperparameter of UNSIR that the sweep varies."""


class ExampleData:
    """Rows for the history and sweeps, like those of the bundled example's run but for their numbers."""

    def __init__(self, home: Path) -> None:
        """Write the reports into a new data folder."""
        report = reports.load_example()
        self._spec, self._metrics = report.spec, measure.metrics_of(report)
        self._title = f"Forget {forget_set_title(report.spec, report.dataset)} with {report.method}"
        self._random = random.Random(0)
        self.store = RunStore(home)
        for _ in range(REPORTS):
            run = self.store.execution.register_running(report.spec, title=self._title, device="cpu", seconds=20.0)
            reports.write(report, artifacts.run_dir(home, run), shared=EvaluationStore(home))
            self.store.execution.finish(run, 1, metrics=self._metrics)
        self._database = Database(home)

    def add_runs(self, count: int) -> None:
        """Add so many finished runs to the history."""
        with self._database.writing() as connection:
            connection.execute(insert(RUN), [self._row(number) for number in range(count)])

    def add_sweep(self, trials: int) -> int:
        """Add a finished sweep with so many trials, and return its id."""
        spec = SweepSpec(
            request=self._spec.request,
            method=self._spec.method,
            params=self._spec.params,
            ranges=(SearchRange(knob=SWEPT, low=0.0001, high=0.1, log=True),),
            objectives=("distance", "retain"),
            minutes=60.0,
        )
        sweep = self.store.sweeps.submit(spec, title=self._title)
        with self._database.writing() as connection:
            for number in range(trials):
                params = {SWEPT: 10 ** self._random.uniform(-4, -1)}
                row = self._row(number, **params) | {"group": sweep_group(sweep)}
                run = connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one()
                connection.execute(
                    insert(TRIAL).values(
                        sweep=sweep, number=number, run=run, params=json.dumps(params), attributes="{}"
                    )
                )
            ended: dict[str, Any] = {"state": SweepState.DONE, "finished": 3_600.0}
            connection.execute(update(SWEEP).where(SWEEP.c.id == sweep).values(**ended))
        return sweep

    def _row(self, number: int, **params: float) -> dict[str, Any]:
        """A finished run whose accuracies differ a little from those of the others."""
        spec = UnlearnSpec(
            request=self._spec.request, method=self._spec.method, params=self._spec.params | params, seed=number
        )
        row = rows.new_row(
            spec, title=self._title, owner="local", priority=Priority.INTERACTIVE, now=1_700_000_000.0 + 60 * number
        )
        return row | {
            "state": RunState.DONE,
            "started": row["created"] + 1,
            "finished": row["created"] + 20,
            "device": "cpu",
            "attempt": 1,
            "headline": self._varied().to_json(),
        }

    def _varied(self) -> RunMetrics:
        accuracy = {
            model: {
                name: None if value is None else min(1.0, max(0.0, value + self._random.gauss(0, 0.03)))
                for name, value in sets.items()
            }
            for model, sets in self._metrics.accuracy.items()
        }
        return self._metrics.model_copy(update={"accuracy": accuracy})
