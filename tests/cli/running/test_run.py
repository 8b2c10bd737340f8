"""`python -m unlearn_core run`: a real run of the tiny classifier, and every mistake in one sentence."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_former_words import PRINTED, paths
from unlearn_core.__main__ import main
from unlearn_core.charts.text.warnings import report_warnings
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.domain.split import SET_LABELS
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

QUICK = ["--method", "unsir", "--set", "kept_per_class=50", "--set", "noise_pictures=16"]
ROWS = ["run", "--classifier", "tiny", "--forget-classes", "rows"]


def test_json_is_what_the_report_holds(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ROWS, *QUICK, "--seed", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"run", "method", "params", "seconds", "before", "after", "gold", "flags", "report"}
    assert paths(said) >= set(PRINTED["keys"]["run"])
    assert said["method"] == "unsir"
    assert said["params"]["kept_per_class"] == 50
    assert {"total", "forget", "evaluate"} <= set(said["seconds"])
    assert 0 < said["seconds"]["forget"] < said["seconds"]["total"]
    report = reports.read(home, said["run"])
    assert report.spec.seed == 3
    assert Path(said["report"]) == home / "runs" / str(said["run"])
    assert said["flags"] == [flag.kind for flag in report_warnings(report)]
    for model in ("before", "after", "gold"):
        right = report.evaluations[model].logits.argmax(1) == report.labels
        for key in SET_LABELS:
            rows = getattr(report.split, key)
            assert said[model]["accuracy"][key] == pytest.approx(right[rows].mean())
    run = RunStore(home).get(said["run"])
    assert run.state == "done"
    assert run.title == "Forget rows with UNSIR"


def test_a_run_that_is_expected_to_fail_says_so_before(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*ROWS, "--method", "reinit", "--set", "layers=0", "--set", "epochs=1"]
    assert main(words) == 0
    assert "Note: this is not expected to work. No layer is re-initialised" in capsys.readouterr().err
    assert main([*ROWS, *QUICK]) == 0
    assert "not expected to work" not in capsys.readouterr().err


def test_table_and_folder_of_ones_own(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report"
    words = ["run", "--classifier", "tiny", "--forget-images", "3,10-12", "--method", "finetune", "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "Forget 4 images with Fine-tune (Tiny · Shapes, seed 0)"
    assert lines[2].split() == ["accuracy", "before", "after", "retrained"]
    test = next(line for line in lines if line.startswith("forget set, test"))
    assert test.split()[-3:] == ["-", "-", "-"]
    assert "There is no retrained model for this request yet" in lines[-1]
    checks = [line.split(":")[0] for line in lines[10:13]]
    assert checks == ["No reference yet", "Retained, against before", "Not retrained yet"]
    assert "fine-tune ..." in said.err
    assert reports.read_folder(out).spec.request.forget == ForgetImages(images=(3, 10, 11, 12))
    assert RunStore(home).list_runs() == []


def test_what_should_not_be_overlooked_is_noted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ROWS, "--method", "neggrad", "--preset", "unbounded", "--set", "lr=0.05"]) == 0
    (note,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note: ")]
    assert note.startswith("Note: Damage. On test images of the other classes, the unlearned model lost")
    assert "\N{NO-BREAK SPACE}" not in note


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--classifier", "tony", "--forget-classes", "rows", "--method", "unsir"], "no classifier called 'tony'"),
        (["--classifier", "tiny", "--forget-classes", "cat", "--method", "unsir"], "no class called 'cat'"),
        (["--classifier", "tiny", "--forget-classes", ",", "--method", "unsir"], "Choose what to forget"),
        (["--classifier", "tiny", "--forget-images", "400", "--method", "finetune"], "from 0 to 399"),
        (["--classifier", "tiny", "--forget-images", "x", "--method", "finetune"], "not a list of images"),
        (
            ["--classifier", "tiny", "--forget-images", "3", "--method", "unsir"],
            "UNSIR cannot forget single images. These methods can: ",
        ),
        (["--classifier", "tiny", "--forget-classes", "rows", "--method", "wish"], "no method called 'wish'"),
        ([*ROWS[1:], "--method", "unsir", "--preset", "magic"], "no preset called 'magic'"),
        ([*ROWS[1:], "--method", "unsir", "--set", "batch=1"], "a whole number from 16 to 512"),
        ([*ROWS[1:], "--method", "unsir", "--set", "bach=64"], "no hyperparameter called 'bach'"),
        ([*ROWS[1:], "--method", "unsir", "--set", "batch"], "--set takes NAME=VALUE"),
        ([*ROWS[1:], "--method", "unsir", "--seed", "-1"], "seed cannot be -1"),
        ([*ROWS[1:], "--method", "unsir", "--device", "cuda:99"], "no device 'cuda:99'"),
        ([*ROWS[1:-1], "rows,columns,checks,discs", "--method", "unsir"], "retain at least one class"),
        ([*ROWS[1:], "--method", "unsir", "--out", str(Path(__file__).parent)], "is not empty"),
        ([*ROWS[1:], "--method", "unsir", "--out", f"{__file__}/x"], "Cannot write the report"),
    ],
)
def test_mistakes(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert main(["run", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert RunStore(home).list_runs() == []


def test_an_unwritable_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("UNLEARN_HOME", f"{__file__}/home")
    assert main([*ROWS, *QUICK]) == 2
    assert "cannot be written to" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_ends_the_run_at_the_next_step(home: Path) -> None:
    """A run that would take very long stops at once, says so in a sentence, and is not left running in the history."""
    words = [*ROWS, "--method", "finetune", "--preset", "bundled", "--set", "epochs=20", "--set", "batch=16"]
    process = subprocess.Popen(
        [sys.executable, "-m", "unlearn_core", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith("It takes ")
        assert process.stderr.readline() == "fine-tune ...\n"
        began = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert time.monotonic() - began < 20  # a busy machine needs seconds to end an interpreter
    assert process.returncode == 130
    assert (out, err) == ("", "Stopped before it finished; nothing was changed.\n")
    assert [run.state for run in RunStore(home).list_runs()] == ["cancelled"]
