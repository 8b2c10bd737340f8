"""`python -m unlearn_core compare-methods`: real runs of the tiny classifier, one of which may fail."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from unlearn_core import methods
from unlearn_core.__main__ import commands, main
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.method_runs import method_group
from unlearn_core.store.queue.run_store import RunStore

DISCS = ["compare-methods", "--classifier", "tiny", "--forget-classes", "discs"]


def test_the_verb_is_written_with_a_hyphen() -> None:
    assert "compare-methods" in commands() and "compare_methods" not in commands()


def test_it_runs_what_is_missing_and_prints_one_table(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DISCS, "--methods", "ssd"]) == 0
    capsys.readouterr()
    file = tmp_path / "all.csv"
    assert main([*DISCS, "--methods", "ssd,neggrad,retrain", "--csv", str(file)]) == 0
    said = capsys.readouterr()
    assert "1 of 2: SSD: run 1 exists already" in said.err and "2 of 2: NegGrad" in said.err
    assert "Left out: Retrain makes a retrained model" in said.err
    runs = RunStore(home).list_runs()[::-1]
    specs = [run.spec for run in runs if isinstance(run.spec, UnlearnSpec)]
    assert [spec.method for spec in specs] == ["ssd", "neggrad"]
    assert all(spec.auto for spec in specs), "the run finds its hyperparameters"
    assert [run.group for run in runs] == [method_group(specs[0])] * 2
    lines = said.out.splitlines()
    assert lines[0] == "All methods on discs (tiny)"
    assert lines[2].split()[:3] == ["Method", "Forget", "accuracy"]
    assert {line.split("  ")[0] for line in lines[3:7]} == {"SSD", "NegGrad", "Retrained model", "Original model"}
    assert "Closest to the retrained model" in said.out and "with one seed" in said.out
    frame = pd.read_csv(file)
    assert sorted(frame["model"]) == ["after", "after", "before", "gold"]
    for number, run in enumerate(runs, 1):
        row = frame[frame["run"] == number].iloc[0]
        known = run.metrics
        assert row["forget_accuracy"] == pytest.approx(known.accuracy["after"]["forget_test"])
        bounds = known.intervals["after"]["retain_test"]
        assert (row["retain_accuracy_low"], row["retain_accuracy_high"]) == pytest.approx((bounds.low, bounds.high))
        assert row["distance_bits"] == pytest.approx(known.distance_to_gold("test"))
        assert 0 < row["membership_auc_low"] < row["membership_auc"] < row["membership_auc_high"] < 1


def test_a_method_that_fails_does_not_end_the_others(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object) -> None:
        raise DivergedError("The loss is no longer a number.")

    known = methods.methods()
    broken = known | {"ssd": replace(known["ssd"], forget=diverge, tuning=None)}
    monkeypatch.setattr("unlearn_core.engine.setup.find_method", broken.__getitem__)
    monkeypatch.setattr(methods, "presets", lambda method, _: dict(method.presets))  # nothing to search for
    words = [*DISCS, "--methods", "ssd,neggrad", "--seed", "3", "--json"]
    assert main(words) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["errors"] == {"SSD": "The loss is no longer a number."}
    assert (said["models"][0]["method"], said["models"][0]["run"]) == ("NegGrad", 2)
    assert {row["model"] for row in said["models"]} == {"after", "gold", "before"}
    assert [run.state for run in RunStore(home).list_runs()] == [RunState.DONE, RunState.FAILED]


def test_without_a_retrained_model_it_says_how_to_train_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare-methods", "--classifier", "tiny", "--forget-images", "3,10-12", "--methods", "ssd"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "Retrained model" not in said and "Original model" in said
    assert "python -m unlearn_core gold --classifier tiny --forget-images 3,10-12" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--methods", "oblivion"], "no method called 'oblivion'"),
        (["--methods", "retrain"], "None of these methods can forget this"),
        (["--seed", "-1"], "The seed cannot be -1"),
    ],
)
def test_a_mistake_is_a_sentence_and_no_run(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main([*DISCS, *words]) == 2
    assert sentence in capsys.readouterr().err
    assert RunStore(home).list_runs() == []
