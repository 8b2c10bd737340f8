"""A worker carries out retention and measures what costs disk while it is at rest; a failure there stops no worker."""

import logging
from pathlib import Path

import pytest

from tests.store.housekeeping.test_retention import run as old_run
from tests.store.specs import sql
from tests.worker.worker_processes import until, worker
from unlearn_core.domain.errors import StoreError
from unlearn_core.store.housekeeping import disk_use, retention
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import housekeeping_rounds
from unlearn_core.worker.housekeeping_rounds import EVERY_SECONDS, PATIENCE_SECONDS, HousekeepingRounds


def test_a_round_waits_for_a_rest_and_at_most_a_day(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[float] = []
    monkeypatch.setattr(retention, "carry_out", lambda _: rounds.append(now))
    monkeypatch.setattr(disk_use, "measure", lambda _: None)
    now = 0.0
    monkeypatch.setattr(housekeeping_rounds.time, "monotonic", lambda: now)
    regular = HousekeepingRounds(RunStore(home))
    for moment, at_rest in (
        (1.0, True),
        (6.0, False),
        (7.0, True),
        (8.0, True),
        (8.0 + EVERY_SECONDS, True),
        (9.0 + 2 * EVERY_SECONDS, False),
        (9.0 + 2 * EVERY_SECONDS + PATIENCE_SECONDS, False),
    ):
        now = moment
        regular.tick(at_rest=at_rest)
        if regular._thread is not None:
            regular._thread.join()
    assert rounds == [7.0, 8.0 + EVERY_SECONDS, 9.0 + 2 * EVERY_SECONDS + PATIENCE_SECONDS]


def test_a_round_that_fails_is_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_store: RunStore) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(retention, "carry_out", fail)
    with caplog.at_level(logging.ERROR):
        HousekeepingRounds(RunStore(home))._round()
    assert caplog.messages == ["Housekeeping: The disk is full."]


@pytest.mark.slow
def test_a_real_worker_deletes_what_was_announced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "30")
    store = RunStore(home)
    number = old_run(store, 0)
    sql(home, "UPDATE run SET finished = 0 WHERE id = ?", number)
    retention.carry_out(store, now=retention.DAY * 40)  # announced long ago
    assert [one.run for one in retention.announced(home)] == [number]
    with worker(home):
        until(lambda: not store.list_runs())
        until(lambda: disk_use.last_measured(home))
    assert f"Retention deleted run {number}: older than 30 days." in (home.parent / "output.log").read_text()
