"""How a run found its hyperparameters: the chart, the warning where nothing fits, and the settings to go on with."""

import shutil
from pathlib import Path

import pytest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, label, without_words, words
from unlearn_core.charts.artifacts import tried_settings
from unlearn_core.charts.report import training_curve
from unlearn_core.charts.text.warnings import report_warnings
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.store.files import reports


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a run that found its hyperparameters; nobody may write to it."""
    folder = tmp_path_factory.mktemp("found")
    unlearn(run_spec("mlp-blobs", method="unsir", classes=[1]), device="cpu", data_dir=folder)
    return folder


@pytest.fixture
def found(made: Path, home: Path) -> Report:
    shutil.copytree(made, home, dirs_exist_ok=True)
    return reports.read(home, 1)


def test_the_tries_are_drawn_and_told(visit: Visit, found: Report) -> None:
    app = fine(visit("run", id="1", tab="How it went"))
    assert tried_settings.summary(found) in words(app)
    assert "Wanted: forget accuracy of at most 2.0" in words(app)
    assert not without_words(app)
    assert "no fitting settings" not in words(app).lower()
    assert "Repair made all its" in training_curve.summary(found) and training_curve.summary(found) in words(app)


def test_what_was_found_is_a_setup_with_one_click(visit: Visit, found: Report) -> None:
    app = fine(visit("run", id="1", tab="How it went"))
    fine(app.button(key="use-found").click().run())
    assert label(app, "strip-method") == "UNSIR · bundled preset, changed"
    assert app.select_slider(key="knob-unsir-impair_lr").value == found.params["impair_lr"]
    assert "found by the run" not in words(app)


def test_to_change_and_run_again_searches_again(visit: Visit, found: Report) -> None:
    app = fine(visit("run", id="1"))
    fine(app.button(key="again").click().run())
    assert label(app, "strip-method") == "UNSIR · auto preset"


def test_a_search_without_success_is_a_warning(found: Report) -> None:
    result = found[TuningResult]
    weak = result.model_copy(update={"tried": result.tried[:1], "chosen": 0})
    (warning,) = [one for one in report_warnings(found.with_result(weak)) if one.kind == "search"]
    assert warning.words.startswith("The setting tried at the start of the run")
    shortened = weak.model_copy(update={"share": 0.125})
    assert not [one for one in report_warnings(found.with_result(shortened)) if one.kind == "search"]
    assert "The closest was used" in tried_settings.summary(found.with_result(weak))
    untried = result.model_copy(update={"chosen": None, "tried": [], "reason": "There is no room."})
    told = tried_settings.summary(found.with_result(untried))
    assert told.startswith("Nothing was tried. There is no room. The rule alone chose impair: learning rate")
    assert not [one for one in report_warnings(found.with_result(untried)) if one.kind == "search"]
    assert "nothing was tried" in tried_settings.alt_text(found.with_result(untried))
    none = result.model_copy(update={"chosen": None, "tried": []})
    assert "No try gave a result" in tried_settings.summary(found.with_result(none))
    assert "so the run itself may differ" in tried_settings.summary(
        found.with_result(result.model_copy(update={"share": 0.125}))
    )
