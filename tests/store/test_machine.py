"""The store against a model of it: whatever happens in whatever order, states are as the rules say."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.store.specs import EVERY, expire, spec
from unlearn_core.domain.errors import LeaseLostError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority
from unlearn_core.store.queue.lease import MAX_LOSSES
from unlearn_core.store.queue.run_store import RunStore

pytestmark = pytest.mark.slow  # it draws what happens: fuzzing


@dataclass
class Row:
    priority: Priority
    state: str = "queued"
    attempt: int = 0
    deaths: int = 0
    losses: int = 0
    cancelling: bool = False

    def back(self, *, died: bool = False, lost: bool = False) -> None:
        self.deaths += died
        self.losses += lost
        if self.cancelling:
            self.state = "cancelled"
        else:
            self.state = "failed" if (died and self.deaths == 2) or self.losses == MAX_LOSSES else "queued"


@cache
def empty() -> Path:
    """A folder with a new database, made once."""
    folder = Path(tempfile.mkdtemp(prefix="unlearn-empty-"))
    atexit.register(shutil.rmtree, folder)
    RunStore(folder)
    return folder


class Runs(RuleBasedStateMachine):
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="unlearn-machine-"))
        shutil.copytree(empty(), self.home, dirs_exist_ok=True)
        self.store = RunStore(self.home)
        self.model: dict[int, Row] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.home)

    @rule(target=runs, priority=st.sampled_from(Priority), owner=st.sampled_from(["ann", "ben"]))
    def submit(self, priority, owner):
        number = self.store.submit(spec(), title="a", owner=owner, priority=priority)
        assert number not in self.model
        self.model[number] = Row(priority)
        return number

    @rule()
    def claim(self):
        queued = {number: row for number, row in self.model.items() if row.state == "queued"}
        run = self.store.execution.claim("worker", device="cpu", kinds=EVERY)
        assert (run is None) == (not queued)
        if run is not None:
            row = queued[run.id]
            assert row.priority == min(row.priority for row in queued.values())
            row.state, row.attempt = "running", row.attempt + 1

    @rule(
        run=runs,
        late=st.integers(0, 1),
        report=st.sampled_from(["heartbeat", "finish", "fail", "mark_cancelled", "requeue", "mark_crashed"]),
    )
    def report(self, run, late, report):
        row = self.model[run]
        more = {"finish": {"metrics": RunMetrics()}, "fail": {"reason": "no"}, "mark_crashed": {"reason": "no"}}.get(
            report, {}
        )
        if row.state != "running" or late:
            with pytest.raises(LeaseLostError):
                getattr(self.store.execution, report)(run, row.attempt - late, **more)
            return
        wish = getattr(self.store.execution, report)(run, row.attempt, **more)
        if report == "heartbeat":
            urgent = any(other.state == "queued" and other.priority < row.priority for other in self.model.values())
            assert wish == (row.cancelling, urgent)
        elif report in ("requeue", "mark_crashed"):
            row.back(died=report == "mark_crashed")
        else:
            row.state = {"finish": "done", "fail": "failed", "mark_cancelled": "cancelled"}[report]

    @rule(run=runs)
    def cancel(self, run):
        self.store.cancel(run)
        row = self.model[run]
        if row.state == "queued":
            row.state = "cancelled"
        row.cancelling = row.state == "running"

    @rule(run=runs)
    def expire(self, run):
        row = self.model[run]
        if row.state == "running":
            expire(self.home, run)
            assert self.store.execution.expire_leases() == [run]
            row.back(lost=True)
        else:
            assert self.store.execution.expire_leases() == []

    @rule()
    def restart(self):
        self.store = RunStore(self.home)

    @invariant()
    def states_agree(self):
        assert {run.id: (run.state, run.attempt) for run in self.store.list_runs()} == {
            number: (row.state, row.attempt) for number, row in self.model.items()
        }

    @invariant()
    def positions_count_from_zero(self):
        queued = [number for number, row in self.model.items() if row.state == "queued"]
        assert sorted(map(self.store.queue_position, queued)) == list(range(len(queued)))


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
