"""What release f9aa4de left behind opens unchanged: data folder, report folder, settings and downloads."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.store import former as release
from tests.store.former import home, unpacked
from unlearn_core.__main__ import main
from unlearn_core.charts import charts
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.data import user_catalog
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.run import RunState
from unlearn_core.export.import_settings import read_spec
from unlearn_core.models import classifiers
from unlearn_core.store import image_lists
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.queue.repeats import with_seeds
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import run_setup as setups

__all__ = ["home", "unpacked"]

EXPECTED = release.read("expected")
RUNS: dict[int, dict[str, Any]] = {int(number): facts for number, facts in EXPECTED["runs"].items()}
FINISHED = [number for number, facts in RUNS.items() if "charts" in facts]


def holds(new: Any, old: Any) -> bool:
    """Whether everything that was said is still said, whatever was added to it."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and holds(new[name], value) for name, value in old.items())
    return new == old


def check(report: Report, facts: dict[str, Any]) -> None:
    """Everything that the report held is found, and every chart applies that did."""
    assert set(report.evaluations) >= set(facts["evaluations"])
    assert set(report.parts) >= set(facts["parts"])
    assert {name for name, chart in charts().items() if chart.applies(report) is True} >= set(facts["charts"])


def check_charts(report: Report, facts: dict[str, Any]) -> None:
    """Every chart that applied is drawn."""
    shelf = charts()
    for name in facts["charts"]:
        figure = shelf[name].figure([report], LIGHT)
        assert figure.data or figure.layout.images, name


def test_every_run_is_listed_as_it_was(home: Path) -> None:
    found = {run.id: run for run in RunStore(home).list_runs()}
    assert list(found) == sorted(RUNS, reverse=True)
    for number, facts in RUNS.items():
        run = found[number]
        assert holds(run.spec.model_dump(mode="json"), facts["spec"])
        assert (run.state, run.title, run.note, run.error) == tuple(
            facts[name] for name in ("state", "title", "note", "error")
        )
        assert run.metrics.to_dict().keys() >= set(facts["headline"])


def test_the_folder_can_be_worked_in(home: Path) -> None:
    store = RunStore(home)
    assert not (home / "restored.txt").exists(), "nothing was lost, so nothing is restored"
    spec = store.get(2).spec
    number = store.submit(spec, title="Once more")
    assert number == max(RUNS) + 1
    claimed = store.execution.claim("a worker", device="cpu", kinds={"unlearn"})
    assert claimed is not None and (claimed.id, claimed.spec) == (number, spec)


def test_every_report_opens(home: Path) -> None:
    for run in FINISHED:
        check(reports.read(home, run), RUNS[run])


@pytest.mark.parametrize("run", [1, 2, 5, 13])  # 7, 10 and 11 are like 1.
def test_a_report_draws_what_it_drew(home: Path, run: int) -> None:
    check_charts(reports.read(home, run), RUNS[run])


def test_a_report_finds_its_evaluations_in_either_place(home: Path) -> None:
    found = reports.read(home, 1)
    pool = EvaluationStore(home / "evaluations")
    for one in found.evaluations.values():
        assert pool.get(one.weights, found.dataset.id, found.classifier.id) is not None
    shutil.rmtree(artifacts.run_dir(home, 1) / "evaluations")
    check(reports.read(home, 1), RUNS[1])


def test_a_report_folder_opens_anywhere(unpacked: Path) -> None:
    report = reports.read_folder(unpacked / "report")
    check(report, EXPECTED["report"])
    check_charts(report, EXPECTED["report"])


def test_gold_that_was_trained_is_found(home: Path) -> None:
    store, golds = RunStore(home), GoldStore(home)
    spec = next(run.spec for run in store.list_runs(kinds=("gold",)))
    assert isinstance(spec, TrainGoldSpec)
    found = golds.find(spec.request, spec.seed)
    assert found is not None
    assert found.weights == reports.read(home, 2).evaluations["gold"].weights
    assert artifacts.run_dir(home, 2).joinpath(artifacts.WEIGHTS_FILE).exists()


def test_the_sweep_and_the_repeats_are_still_told_apart(home: Path) -> None:
    store, facts = RunStore(home), EXPECTED["sweep"]
    (sweep,) = store.sweeps.list_recent()
    assert holds(sweep.spec.model_dump(mode="json"), facts["spec"]) and sweep.state == facts["state"]
    trials = [{"number": one.number, "run": one.run, "params": one.params} for one in store.sweeps.trials(sweep.id)]
    assert trials == facts["trials"]
    seeds = store.repeats.runs_of(store.get(1))
    assert [run.id for run in seeds] == [1, 7]
    assert [own.run for own in with_seeds(reports.read(home, 1), home, seeds)[SeedsResult].runs] == [1, 7]
    assert [run.id for run in store.list_runs(states=(RunState.FAILED, RunState.CANCELLED))] == [9, 8]


def test_a_classifier_that_was_trained_is_in_the_catalog(home: Path) -> None:
    user_catalog.set_data_dir(home)
    try:
        name = RunStore(home).get(3).metrics.classifier or ""
        assert classifiers.card(name).title == "Mine & <own>"
    finally:
        user_catalog.set_data_dir(None)


def test_a_long_list_of_images_is_kept(home: Path) -> None:
    (kept,) = (home / "requests").iterdir()
    assert image_lists.load(home, kept.stem, upper_bound=1200) == tuple(range(0, 1200, 2))


@pytest.mark.parametrize("file", [release.SETTINGS, release.DOWNLOAD], ids=lambda file: file.name)
def test_settings_and_downloads_are_taken_in(file: Path) -> None:
    spec = read_spec(file.read_bytes())
    assert holds(spec.model_dump(mode="json"), RUNS[1]["spec"])


def test_every_run_can_be_set_up_again(home: Path) -> None:
    for run in RunStore(home).list_runs(kinds=("unlearn",)):
        assert isinstance(run.spec, UnlearnSpec)
        setup, trouble = setups.from_params(setups.to_params(setups.from_spec(run.spec)))
        assert not trouble
        assert setup == setups.from_spec(run.spec)


@pytest.mark.slow
@pytest.mark.parametrize("number", FINISHED)
def test_every_report_gives_an_evidence_sheet_that_verifies(home: Path, tmp_path: Path, number: int) -> None:
    assert main(["evidence", str(number), "--out", str(tmp_path / "sheet")]) == 0
    assert main(["verify", str(tmp_path / "sheet")]) == 0
