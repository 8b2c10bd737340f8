"""Retention: what is too old, too many or too large is announced, then deleted; what is pinned or needed stays."""

import json
import logging
from pathlib import Path

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.specs import spec, sql
from unlearn_core.domain.errors import NotAllowedError, NotFoundError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.db import rows
from unlearn_core.store.files import artifacts, restore
from unlearn_core.store.housekeeping import retention
from unlearn_core.store.housekeeping.retention import DAY, NOTICE_DAYS, announced, carry_out
from unlearn_core.store.queue.run_store import RunStore

ANN, BEN = Actor("a" * 20), Actor("b" * 20)
NOW = 1_800_000_000.0
MB = 1_000_000


@pytest.fixture
def store(home: Path) -> RunStore:
    return RunStore(home)


def run(store: RunStore, age: float, owner: Actor = ANN, start: int | None = None, *, mb: int = 0) -> int:
    """A run that ended so many days ago, with weights of so many MB and a report of one."""
    own = spec().model_copy(update={"start": start})
    number = store.execution.register_running(own, title="a run", device="cpu", owner=owner.id)
    folder = artifacts.run_dir(store.data_dir, number)
    for name, size in ((artifacts.WEIGHTS_FILE, mb * MB), (artifacts.REPORT_FILE, MB)):
        with (folder / name).open("wb") as file:
            file.truncate(size)  # takes no disk
    store.execution.finish(number, 1, metrics=RunMetrics())
    sql(store.data_dir, "UPDATE run SET finished = ? WHERE id = ?", NOW - age * DAY, number)
    return number


def left(store: RunStore) -> list[int]:
    return [found.id for found in store.list_runs()]


def test_it_is_off_by_default(store: RunStore) -> None:
    number = run(store, 10_000, mb=10)
    assert carry_out(store, now=NOW) == [] and carry_out(store, now=NOW + 100 * DAY) == []
    assert left(store) == [number] and not (store.data_dir / retention.FILE).exists()


def test_what_is_too_old_is_announced_and_deleted_days_later(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "30")
    old, soon, young = run(store, 40), run(store, 28), run(store, 26.9)
    assert carry_out(store, now=NOW) == []
    assert [(one.run, one.due) for one in announced(store.data_dir)] == [
        (old, NOW + NOTICE_DAYS * DAY),
        (soon, NOW + NOTICE_DAYS * DAY),
    ], "each is announced in time, and stays until then"
    assert {one.why for one in announced(store.data_dir)} == {"older than 30 days"}
    assert carry_out(store, now=NOW + 2.9 * DAY) == [] and left(store) == [young, soon, old]
    with caplog.at_level(logging.INFO):
        assert [one.run for one in carry_out(store, now=NOW + 3 * DAY)] == [old, soon]
    assert left(store) == [young] and f"Retention deleted run {old}: older than 30 days." in caplog.messages
    assert not artifacts.run_dir(store.data_dir, old).exists()
    assert [one.run for one in announced(store.data_dir)] == [young]


def test_of_each_visitor_the_newest_stay(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_RUNS", "2")
    ann = [run(store, age) for age in (4, 3, 2, 1)]
    ben = [run(store, age, BEN) for age in (9, 8)]
    carry_out(store, now=NOW)
    assert {one.run for one in carry_out(store, now=NOW + 3 * DAY)} == {*ann[:2]}
    assert set(left(store)) == {*ann[2:], *ben}


def test_weights_go_before_reports_and_the_oldest_first(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_GB", "1")
    runs = [run(store, age, mb=400) for age in (4, 3, 2)]
    carry_out(store, now=NOW)
    assert [(one.run, one.what) for one in announced(store.data_dir)] == [(runs[0], "weights")]
    assert [one.run for one in carry_out(store, now=NOW + 3 * DAY)] == [runs[0]]
    folder = artifacts.run_dir(store.data_dir, runs[0])
    assert left(store) == runs[::-1] and artifacts.has_report(folder) and not artifacts.is_unlearned(folder)
    assert carry_out(store, now=NOW + 6 * DAY) == [], "the rest fits"
    for number in runs:
        with (artifacts.run_dir(store.data_dir, number) / artifacts.REPORT_FILE).open("r+b") as file:
            file.truncate(600 * MB)
    carry_out(store, now=NOW + 7 * DAY)
    assert [(one.run, one.what) for one in announced(store.data_dir)] == [
        (runs[0], "run"),
        (runs[1], "run"),
        (runs[2], "weights"),
    ]


def test_what_is_pinned_or_needed_stays(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "1")
    pinned, continued, plain, trial = (run(store, 10) for _ in range(4))
    run(store, 0, start=continued)
    ann = store.acting_as(ANN)
    sweep = ann.sweeps.submit(sweep_spec(), title="a sweep")
    sql(store.data_dir, 'UPDATE run SET "group" = ? WHERE id = ?', f"sweep-{sweep}", trial)
    ann.pin(pinned)
    assert store.get(pinned).pinned
    carry_out(store, now=NOW - 3 * DAY)
    assert [one.run for one in carry_out(store, now=NOW)] == [plain]
    ann.pin(pinned, pinned=False)
    ann.sweeps.cancel(sweep)
    carry_out(store, now=NOW)
    assert {one.run for one in announced(store.data_dir) if one.due == NOW + NOTICE_DAYS * DAY} >= {pinned, trial}


def test_a_pin_after_the_announcement_counts_and_survives_a_lost_database(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "1")
    number = run(store, 10)
    carry_out(store, now=NOW)
    store.pin(number)
    assert carry_out(store, now=NOW + 3 * DAY) == [] and announced(store.data_dir) == []
    recorded = restore.read_record(artifacts.run_dir(store.data_dir, number))
    assert recorded is not None and rows.finished_row(recorded)["pinned"], "from which a lost database is restored"


def test_a_lost_or_damaged_announcement_begins_anew(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "1")
    number = run(store, 10)
    carry_out(store, now=NOW)
    (store.data_dir / retention.FILE).write_text("[[1, 2")
    assert announced(store.data_dir) == [] and carry_out(store, now=NOW + 30 * DAY) == []
    assert announced(store.data_dir)[0].due == NOW + 33 * DAY and left(store) == [number]
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "")
    assert carry_out(store, now=NOW + 99 * DAY) == [] and not (store.data_dir / retention.FILE).exists()


def test_what_cannot_be_deleted_now_is_tried_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "1")
    number = run(store, 10)
    carry_out(store, now=NOW)

    def refuse(_store: RunStore, run: int) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "delete", refuse)
        assert carry_out(store, now=NOW + 3 * DAY) == []
    assert [one.run for one in carry_out(store, now=NOW + 3 * DAY)] == [number]
    with pytest.raises(NotFoundError):
        store.get(number)


def test_no_visitor_carries_it_out(store: RunStore) -> None:
    with pytest.raises(NotAllowedError):
        carry_out(store.acting_as(ANN))
    assert json.dumps(announced(store.data_dir)) == "[]"
