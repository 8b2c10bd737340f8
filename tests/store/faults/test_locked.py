"""A database that another program holds: pages read, and what must be written is refused with a sentence."""

import sqlite3
from contextlib import closing

import pytest

from tests.store.specs import EVERY, spec
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.store.db import database
from unlearn_core.store.queue.run_store import RunStore


def test_reading_goes_on_and_nothing_is_lost(home, monkeypatch):
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    store = RunStore(home)
    number = store.submit(spec(), title="a")
    run = store.execution.claim("worker", device="cpu", kinds=EVERY)
    assert run is not None
    with closing(sqlite3.connect(home / "lab.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert RunStore(home).get(number).title == "a"
        sentence = r"The database .*lab\.db is locked by another program\. Close that program, then try again\."
        for write in (
            lambda: store.submit(spec(), title="b"),
            lambda: store.cancel(number),
            lambda: store.execution.finish(number, run.attempt, metrics=RunMetrics()),
        ):
            with pytest.raises(StoreError, match=sentence):
                write()
        other.execute("ROLLBACK")
    store.execution.finish(number, run.attempt, metrics=RunMetrics())
    assert [one.state for one in store.list_runs()] == ["done"]
