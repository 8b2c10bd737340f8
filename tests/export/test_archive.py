"""The archive contains everything about a run, and all of it can be used without the data folder."""

import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.charts.fake_reports import made_up_report
from tests.pages.finished_runs import CLASS, PICTURES, template
from unlearn_core.__main__ import main
from unlearn_core.charts import charts
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.export.archive import build_archive, chart_tables
from unlearn_core.export.model_card import render_model_card
from unlearn_core.export.safe_csv import to_csv
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore

__all__ = ["template"]


@pytest.fixture
def lab(template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_HOME", str(template))
    return template


def unpacked(data: bytes, to: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        file.extractall(to)
    return to


def test_the_command_line_writes_all_of_a_run(lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run.zip"
    assert main(["report", str(CLASS), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "self-contained" in said
    assert "tug of war (1 is like retrained)" in said and "average gap to retrained" in said
    folder = unpacked(out.read_bytes(), tmp_path / "unpacked")
    whole = reports.read(lab, CLASS)
    assert UnlearnSpec.model_validate_json((folder / "spec.json").read_bytes()) == whole.spec
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    kept = artifacts.run_dir(lab, CLASS) / artifacts.WEIGHTS_FILE
    assert (folder / "weights.safetensors").read_bytes() == kept.read_bytes()
    able = {name for name, chart in charts().items() if chart.applies(whole) is True}
    assert {path.stem for path in (folder / "tables").glob("*.csv")} == able
    accuracy = pd.read_csv(folder / "tables" / "accuracy.csv")
    assert set(accuracy["model"]) == {"before", "after", "retrained"}


def test_its_folder_draws_every_chart_with_no_lab_at_hand(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["report", str(CLASS), "--out", str(tmp_path / "run.zip")]) == 0
    folder = unpacked((tmp_path / "run.zip").read_bytes(), tmp_path / "unpacked") / "report"
    whole = reports.read(lab, CLASS)
    monkeypatch.setenv("UNLEARN_HOME", str(tmp_path / "elsewhere"))
    again = reports.read_folder(folder)
    assert set(again.evaluations) == set(whole.evaluations) >= {"before", "after", "gold"}
    for chart in charts().values():
        assert chart.applies(again) == chart.applies(whole)
        if chart.applies(again) is True:
            assert chart.figure([replace(again, run=CLASS)], LIGHT) == chart.figure([whole], LIGHT)
    assert main(["report", str(folder), "--out", str(tmp_path / "again.html")]) == 0
    assert "Did it forget discs?" in (tmp_path / "again.html").read_text()


def test_the_model_card_tells_how_to_load_the_weights(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    text = render_model_card(reports.read(lab, CLASS))
    for part in ("## Evaluation", "## Limits", "This does not prove", "## Licence", "--method unsir", "test"):
        assert part in text
    code = text.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(artifacts.run_dir(lab, CLASS))
    known: dict = {}
    exec(code, known)
    with torch.no_grad():
        assert known["model"].eval()(torch.zeros(1, 3, 32, 32)).isfinite().all()


def test_names_of_others_are_letters_in_the_card() -> None:
    found = made_up_report()
    data = found.dataset.model_copy(update={"title": "![x](http://x) <b>\n# Heading"})
    text = render_model_card(replace(found, dataset=data))
    assert "![x](" not in text
    assert "<b>" not in text
    assert "\n# Heading" not in text


def test_two_runs_have_a_folder_each(lab: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.zip"
    assert main(["report", str(CLASS), str(PICTURES), "--out", str(out)]) == 0
    with zipfile.ZipFile(out) as file:
        names = set(file.namelist())
    for run in (CLASS, PICTURES):
        assert {f"run-{run}/{name}" for name in ("spec.json", "weights.safetensors", "report/report.json")} <= names
    assert "report.html" in names


def test_the_seeds_of_a_run_are_in_its_report(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    shutil.copytree(lab, home)
    monkeypatch.setenv("UNLEARN_HOME", str(home))
    store = RunStore(home)
    (run,) = store.repeats.submit(store.get(CLASS), 1)
    claimed = store.execution.claim("w", device="cpu", kinds={"unlearn"})
    assert claimed is not None
    shutil.copytree(artifacts.run_dir(home, CLASS), artifacts.run_dir(home, run), dirs_exist_ok=True)
    store.execution.finish(run, claimed.attempt, metrics=RunMetrics())
    assert main(["report", str(CLASS), "--out", str(tmp_path / "seeds.html")]) == 0
    text = (tmp_path / "seeds.html").read_text()
    assert "Over 2 seeds" in text
    assert 'id="chart-seeds-course"' in text


def test_without_weights_there_is_no_card() -> None:
    found = made_up_report()
    with zipfile.ZipFile(io.BytesIO(build_archive([found], page="x", weights=[None]))) as file:
        assert not {"weights.safetensors", "MODEL_CARD.md"} & set(file.namelist())
        head = json.loads(file.read("report/report.json"))
    assert head["spec"] == found.spec.model_dump(mode="json")


def test_no_text_in_a_table_is_a_formula() -> None:
    text = to_csv(pd.DataFrame({"name": ["=1+1", "@x", "cat", "-"], "value": [-1.5, 2, 3, 4]}))
    assert text.splitlines() == ["name,value", "'=1+1,-1.5", "'@x,2.0", "cat,3.0", "'-,4.0"]
    assert len(chart_tables([made_up_report()])) >= 15


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["99", "--out", "x.html"], "There is no run called 99"),
        (["nowhere", "--out", "x.html"], "There is no report in nowhere"),
        ([str(CLASS), "--out", "x.pdf"], "ends with .html or .zip"),
        ([*"1212121", "--out", "x.html"], "up to 6 runs"),
    ],
)
def test_mistakes_get_a_sentence(
    words: list[str],
    said: str,
    lab: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.html"
    out.write_text("mine")
    assert main(["report", str(CLASS), "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_run_that_is_not_done_says_why_it_has_no_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = RunStore(home)
    spec = made_up_report().spec
    failed = store.execution.register_running(spec, title="x", device="cpu")
    store.execution.fail(failed, 1, "The loss is no longer a number.")
    cancelled = store.submit(spec, title="y")
    store.cancel(cancelled)
    for run, said in ((failed, "failed: The loss is no longer a number."), (cancelled, "cancelled")):
        assert main(["report", str(run), "--out", str(home / "x.html")]) == 2
        assert f"Run {run} is {said}" in capsys.readouterr().err
