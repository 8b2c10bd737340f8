"""The runs that ship: complete, the same as what they were packed from, marked as such, and small."""

import json
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.benchmarks.examples.make_shipped import packed
from unlearn_core.benchmarks.examples.shipped_cases import CASES, sweep_spec
from unlearn_core.charts import charts
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.domain.errors import CorruptAssetError, NotFoundError
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import RelearnResult
from unlearn_core.domain.run import run_name
from unlearn_core.store.files import reports, shipped_runs
from unlearn_core.store.queue.run_store import RunStore

NUMBERS = [one.run.id for one in shipped_runs.shipped_runs()]


def test_what_ships_is_what_the_list_of_cases_says() -> None:
    found = shipped_runs.shipped_runs()
    assert [one.name for one in found] == [shipped_runs.EXAMPLE, *CASES]
    assert NUMBERS == [-1, -2, -3, -4, -5, -6, -7, -8]
    for one in found[1:]:
        assert one.run.spec == CASES[one.name].spec(), f"{one.name}: make it again"
    assert shipped_runs.shipped_sweep().spec == sweep_spec()
    assert len(shipped_runs.shipped_trials()) == sweep_spec().max_trials
    assert sum(path.stat().st_size for path in shipped_runs.SHIPPED_DIR.iterdir()) < 1.3e6


@pytest.mark.parametrize("number", NUMBERS)
def test_a_shipped_run_has_everything_that_its_charts_need(number: int) -> None:
    report = shipped_runs.read_report(number)
    assert report.run == number and run_name(number) == f"Shipped run {-number}"
    assert report.evaluations.keys() >= {"before", "after", "gold"} and not report.lost
    assert AccuracyResult in report and LogitsResult in report and RelearnResult in report
    drawn = [chart for chart in charts().values() if chart.applies(report) is True]
    assert len(drawn) > 12
    for chart in drawn:
        assert chart.id == "cam" or chart.figure([report], LIGHT).data, "heat maps are images on the page"
        assert chart.summary(report)
    _outputs_are_those_that_were_measured(report)


def _outputs_are_those_that_were_measured(report: Report) -> None:
    """The outputs ship as float16, and still give exactly the accuracies that were measured."""
    for name, score in report[AccuracyResult].scores["after"].items():
        rows = getattr(report.split, name)
        if report.evaluations["after"].covers(rows):
            right = report.evaluations["after"].logits[rows].argmax(1) == report.labels[rows]
            assert (int(right.sum()), len(rows)) == (score.correct, score.total), name
    for evaluation in report.evaluations.values():
        assert np.isfinite(evaluation.known_logits).all()


def test_a_report_survives_packing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = reports.load_example()
    (tmp_path / "unsir-ship.zip").write_bytes(packed(whole, ("snapshots",), images=4))
    (tmp_path / "shipped.json").write_bytes((shipped_runs.SHIPPED_DIR / "shipped.json").read_bytes())
    monkeypatch.setattr(shipped_runs, "SHIPPED_DIR", tmp_path)
    found = shipped_runs.read_report(-2)
    assert found.spec == whole.spec and found.evaluations.keys() == whole.evaluations.keys()
    assert "ships leaves this out" in found.missing["snapshots"] and "snapshots" not in found.parts
    for name in whole.parts.keys() - {"snapshots", "cam", "logits"}:
        assert found.parts[name].checksum() == whole.parts[name].checksum(), name
    rows = whole.split.forget_test
    ours, theirs = (one[LogitsResult].margin["after"][rows] for one in (found, whole))
    assert ours == pytest.approx(theirs, abs=0.05), "the precision of float16"


def test_a_downloaded_report_keeps_the_outputs_that_ship(tmp_path: Path) -> None:
    report = shipped_runs.read_report(-6)
    reports.write(report, tmp_path)
    found = reports.read_folder(tmp_path)
    ours, theirs = (one.evaluations["after"] for one in (found, report))
    assert ours.identity == theirs.identity and np.array_equal(ours.known_logits, theirs.known_logits)
    assert not found.lost and not found.pending


def test_a_shipped_run_cannot_be_changed_or_deleted(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    for change in (lambda: store.delete(-2), lambda: store.set_note(-2, "mine"), lambda: store.cancel(-2)):
        with pytest.raises(NotFoundError):
            change()
    with pytest.raises(NotFoundError):
        store.sweeps.delete(shipped_runs.SWEEP_NUMBER)
    assert shipped_runs.read_report(-2).run == -2
    assert store.list_runs() == [] and store.sweeps.list_recent() == []
    assert store.sweeps.get(shipped_runs.SWEEP_NUMBER).owner == "shipped"


def test_names_and_damaged_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match=r"shipped run.*called 'x'.*l2ul-16"):
        shipped_runs.named("x")
    with pytest.raises(NotFoundError):
        shipped_runs.read_report(-99)
    with pytest.raises(NotFoundError):
        shipped_runs.shipped_run(-99)
    monkeypatch.setattr(shipped_runs, "SHIPPED_DIR", tmp_path)
    with pytest.raises(CorruptAssetError, match=r"unsir-ship\.zip is damaged"):
        shipped_runs.read_report(-2)
    shipped_runs._index.cache_clear()
    try:
        (tmp_path / "shipped.json").write_text(json.dumps({"runs": {"a": {}}}))
        with pytest.raises(CorruptAssetError, match=r"shipped\.json is damaged.*Restore"):
            shipped_runs.shipped_runs()
    finally:
        shipped_runs._index.cache_clear()
