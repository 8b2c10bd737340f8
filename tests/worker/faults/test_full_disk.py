"""A worker on a full disk starts nothing, says so once, and goes on by itself once there is space."""

import shutil

from tests.worker.worker_processes import end_of, submit, until
from unlearn_core.domain.run import RunState


def test_runs_wait_until_there_is_space(inside, monkeypatch, caplog):
    until(lambda: inside.run_child.is_free)
    usage = shutil.disk_usage(inside.store.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    number = submit(inside.store, do="steps", steps=1)
    until(lambda: "is full (1 MB free, at least 10 MB are needed)" in caplog.text)
    assert inside.store.get(number).state is RunState.QUEUED
    monkeypatch.undo()
    assert end_of(inside.store, number).state is RunState.DONE
    assert caplog.text.count("is full") == 1
