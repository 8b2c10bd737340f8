"""`python -m unlearn_core runs`: the history without a page and without a worker."""

import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from unlearn_core.__main__ import main
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore

METRICS = {
    "accuracy": {
        "before": {"forget_train": 1.0, "forget_test": 0.9, "retain_test": 0.95},
        "after": {"forget_train": 0.1, "forget_test": None, "retain_test": 0.925},
    },
    "distance": {"test": {"before": 0.5, "after": 0.0125, "spread": None}},
    "seconds": {"forget": 1.25, "total": 3.5},
}


def spec(method: str = "finetune", classifier: str = "tiny", **fields) -> UnlearnSpec:
    request = ForgetRequest(classifier=classifier, dataset="shapes", forget=ForgetClasses(classes=(1,)))
    return UnlearnSpec(request=request, method=method, params={"lr": 0.01, "epochs": 2}, **fields)


@pytest.fixture
def store(home: Path) -> RunStore:
    """A history of a finished run, one of another owner that failed, a queued one, and a queued retraining."""
    store = RunStore(home)
    done = store.execution.register_running(spec(seed=4), title="Forget columns with Fine-tune", device="cpu")
    store.execution.finish(done, 1, metrics=RunMetrics.model_validate(METRICS))
    store.set_note(done, "for the talk")
    failed = store.execution.register_running(
        spec("ssd", start=done), title="Forget columns with SSD", device="cpu", owner="ann"
    )
    store.execution.fail(failed, 1, "The loss is no longer finite.")
    store.submit(spec(classifier="mlp-moons"), title="Forget dawn with Fine-tune")
    store.submit(TrainGoldSpec(request=spec().request), title="Retrain without columns")
    return store


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["runs", *words]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.out + captured.err


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[int]:
    return [run["run"] for run in json.loads(said(capsys, *words, "--json"))]


def test_runs_are_listed_newest_first(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = said(capsys).splitlines()
    assert head.split()[:2] == ["run", "state"]
    assert [line.split()[:2] for line in lines] == [["4", "queued"], ["3", "queued"], ["2", "failed"], ["1", "done"]]
    assert lines[3].split()[4:6] == ["10.0%", "92.5%"], "the training images where there are no test images"
    assert lines[3].endswith("  Forget columns with Fine-tune")


def test_an_empty_history_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == "There is no such run.\n"
    assert listed(capsys) == []


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ([], [4, 3, 2, 1]),
        (["--state", "done"], [1]),
        (["--state", "done", "--state", "failed"], [2, 1]),
        (["--method", "finetune"], [3, 1]),
        (["--method", "finetune", "--classifier", "tiny"], [1]),
        (["--classifier", "tiny"], [4, 2, 1]),
        (["--owner", "ann"], [2]),
        (["--text", "columns TALK"], [1]),
        (["--limit", "2"], [4, 3]),
        (["--text", "nothing"], []),
    ],
)
def test_filters(store: RunStore, capsys: pytest.CaptureFixture[str], words: list[str], runs: list[int]) -> None:
    assert listed(capsys, *words) == runs


def test_a_list_that_is_cut_says_so(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--limit", "3").splitlines()[-1] == "There are more: add --limit 6, or a filter."
    assert "There are more" not in said(capsys, "--limit", "4")


def test_show(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [" ".join(line.split()) for line in said(capsys, "show", "1").splitlines()]
    assert lines[0] == "Run 1: Forget columns with Fine-tune"
    wanted = {"state done", "owner local", "note for the talk", "seed 4", "lr 0.01", "epochs 2", "classifier tiny"}
    assert wanted <= set(lines)
    assert "distance 0.0125 bits to the retrained model" in lines
    assert "seconds 1.2 to unlearn, 3.5 in total" in lines
    assert "retain set, test 95.0% 92.5% -" in lines
    failed = said(capsys, "show", "2")
    assert "The loss is no longer finite." in failed
    assert "run 1" in failed.partition("continues")[2].splitlines()[0]
    assert "accuracy" not in failed
    assert '"kind":"gold"' in said(capsys, "show", "4")


def test_json_has_the_settings_and_the_metrics(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(said(capsys, "show", "1", "--json"))
    assert UnlearnSpec.model_validate(shown["spec"]) == spec(seed=4)
    assert shown["metrics"] == METRICS
    assert {"run", "kind", "title", "state", "owner", "created", "started", "finished", "note", "error"} <= set(shown)
    assert json.loads(said(capsys, "--json", "--state", "done")) == [shown]


def test_cancel(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    running = store.execution.register_running(spec(), title="Forget it", device="cpu")
    lines = said(capsys, "cancel", "3", "1", str(running)).splitlines()
    assert lines == ["Run 3 was cancelled.", "Run 1 was done already.", "Run 5 will stop at its next step."]
    assert store.get(3).state is RunState.CANCELLED
    assert store.get(1).state is RunState.DONE
    assert store.get(running).cancelling
    assert "running, being cancelled" in said(capsys, "show", str(running))


def test_an_unknown_number_cancels_and_deletes_nothing(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run called 99" in said(capsys, "cancel", "3", "99", code=2)
    assert "no run called 99" in said(capsys, "delete", "1", "99", "--yes", code=2)
    assert "no run called 99" in said(capsys, "show", "99", code=2)
    assert [run.state for run in store.list_runs()] == ["queued", "queued", "failed", "done"]


def test_delete(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert artifacts.run_dir(store.data_dir, 1).exists()
    assert said(capsys, "delete", "1", "2", "1", "--yes") == "Run 1 was deleted.\nRun 2 was deleted.\n"
    assert [run.id for run in store.list_runs()] == [4, 3]
    assert not artifacts.run_dir(store.data_dir, 1).exists()


def test_delete_refuses_unfinished_runs_before_it_deletes_any(
    store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not finished: 3, 4" in said(capsys, "delete", "1", "3", "4", "--yes", code=2)
    assert len(store.list_runs()) == 4


def test_delete_asks_for_confirmation(
    store: RunStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    assert "confirm it with --yes" in said(capsys, "delete", "1", code=2), "nobody reads the question"
    monkeypatch.setattr("sys.stdin", _Terminal("\n"))
    declined = said(capsys, "delete", "1", code=1)
    assert "Run 1: Forget columns with Fine-tune" in declined
    assert declined.endswith("Nothing was deleted.\n")
    assert len(store.list_runs()) == 4
    monkeypatch.setattr("sys.stdin", _Terminal("Yes\n"))
    assert said(capsys, "delete", "1").endswith("Run 1 was deleted.\n")
    assert len(store.list_runs()) == 3


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_csv(store: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "runs.csv"
    assert said(capsys, "--csv", str(file), "--limit", "1") == f"{file}: 3 runs, one in each row.\n"
    assert list(pd.read_csv(file)["id"]) == [3, 2, 1]
    assert pd.read_csv(StringIO(said(capsys, "--csv", "-", "--state", "done")))["note"].tolist() == ["for the talk"]
    assert "already exists" in said(capsys, "--csv", str(file), code=2)
    assert "Cannot write" in said(capsys, "--csv", f"{file}/x.csv", code=2)
    with pytest.raises(SystemExit):
        main(["runs", "--csv", "-", "--json"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--limit", "0"], "--limit takes"),
        (["script", "4"], "only unlearning runs have one"),
        (["script", "9"], "no run called 9"),
        (["script", "2"], "Run 1, whose model this run continues, was deleted"),
    ],
)
def test_mistakes(store: RunStore, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    store.delete(1)
    assert sentence in said(capsys, *words, code=2)


def test_a_script_is_printed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "script", "2")
    compile(text, "script", "exec")
    assert "# Run 2: Forget columns with SSD" in text
    assert "start=run_1.run" in text
