"""`gold` queues what is missing, once, behind everything else."""

import threading
import time
from pathlib import Path

import pytest

from unlearn_core.__main__ import main
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority
from unlearn_core.store.queue.run_store import RunStore

TWO = ["gold", "--classifier", "tiny", "--forget-classes", "rows,discs"]


def test_one_that_ships_is_not_trained_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gold", "--classifier", "tiny", "--forget-classes", "rows"]) == 0
    assert "gold-rows-0, bundled" in capsys.readouterr().out
    assert RunStore(home).list_runs() == []


def test_one_that_is_missing_is_queued_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(TWO) == 0
    assert main([*TWO[:-1], "discs,rows"]) == 0
    said = capsys.readouterr().out.splitlines()
    (run,) = RunStore(home).list_runs(kinds=("gold",))
    assert said == [
        f"Run {run.id} is queued. It trains whenever nothing more urgent is waiting.",
        f"Run {run.id} already trains this model.",
    ]
    assert run.priority is Priority.BACKGROUND
    assert run.title == "Retrain without rows and discs"
    assert isinstance(run.spec, TrainGoldSpec)
    assert run.spec.request.forget == ForgetClasses(classes=(0, 3))
    assert main([*TWO, "--seed", "1"]) == 0
    assert {one.title for one in RunStore(home).list_runs()} == {run.title, f"{run.title}, number 2"}


def test_waiting_without_a_worker(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWO, "--wait"]) == 2
    assert "no worker is running" in capsys.readouterr().err


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_waiting_ends_with_the_run(home: Path, capsys: pytest.CaptureFixture[str], ends: str) -> None:
    store = RunStore(home)

    def work() -> None:
        store.execution.worker_heartbeat("w", device="cpu", pid=1, code="x", state="idle")
        while (run := store.execution.claim("w", device="cpu", kinds={"gold"})) is None:
            time.sleep(0.02)
        store.execution.worker_heartbeat("w", device="cpu", pid=1, code="x", state="busy")
        time.sleep(0.6)
        if ends == "done":
            store.execution.finish(run.id, run.attempt, metrics=RunMetrics())
        else:
            store.execution.fail(run.id, run.attempt, "The disk is full.")

    worker = threading.Thread(target=work)
    worker.start()
    while not store.workers():
        time.sleep(0.01)
    code = main([*TWO, "--wait"])
    worker.join()
    said = capsys.readouterr()
    if ends == "done":
        assert code == 0
        assert "is done: the retrained model is ready." in said.out
    else:
        assert code == 1
        assert "failed: The disk is full." in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--forget-classes", "cat"], "no class called 'cat'"),
        (["--forget-classes", "rows,columns,checks,discs"], "retain at least one class"),
        (["--forget-classes", "rows", "--seed", "1000"], "--seed cannot be 1000"),
    ],
)
def test_mistakes(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert main(["gold", "--classifier", "tiny", *words]) == 2
    assert sentence in capsys.readouterr().err
