"""Choosing what to forget by difficulty: easy, memorised and entangled images; and results by difficulty."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, foot, words
from tests.probes.common import half_outputs
from unlearn_core.charts.report import difficulty
from unlearn_core.domain.jobs import FeaturesSpec, MeasureSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.execute import measure_on_demand
from unlearn_core.engine.jobs.difficulty import forget_set
from unlearn_core.engine.jobs.image_features import store_features
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import reports
from unlearn_core.store.image_lists import format_ranges
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.forget import difficulty_sets

KIND, COUNT, TAKE = "difficulty-kind", "difficulty-count", "take-difficulty"


@pytest.fixture
def unfolded(visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Like `visit("forget")` for single images of the tiny data set, with the fold open."""
    difficulty_sets._memorisation.clear()
    difficulty_sets._entangled_set.clear()

    def opened(_page: str = "forget", **query: str) -> AppTest:
        app = visit("forget", **({"classifier": "tiny", "images": ""} | query))
        app.session_state["difficulty"] = True
        return fine(app.run())

    return opened


def test_it_is_folded_at_first(visit: Visit, home: Path) -> None:
    half_outputs.store(home)
    app = fine(visit("forget", classifier="tiny", images="3"))
    assert "Select by difficulty" in [one.label for one in app.expander]
    assert "How hard are these images to forget?" not in words(app)


def test_memorised_images_are_selected_with_one_click(unfolded: Visit, home: Path) -> None:
    half_outputs.store(home)
    app = unfolded(images="0")
    assert app.segmented_control(key=KIND).value == "memorised"
    said = words(app)
    assert "classify these images correctly only if they were trained on them" in said
    assert (
        "Mean memorisation of these 16 images: 1.00; of all 400 training images: 0.50. For one image it has a " in said
    )
    assert len(app.get("plotly_chart")) == 1
    fine(app.button(key=TAKE).click().run())
    assert foot(app)[0] == "16 in the forget set"
    images = forget_set("tiny", "memorised", 16, ModelCache("cpu", home), NullTracker())
    assert app.query_params["images"] == format_ranges(images)
    assert app.button(key=TAKE).disabled


def test_another_kind_and_another_number_are_another_set(unfolded: Visit, home: Path) -> None:
    half_outputs.store(home)
    app = unfolded()
    app.segmented_control(key=KIND).set_value("easy").run()
    fine(app.number_input(key=COUNT).set_value(5).run())
    assert "so there is little to forget" in words(app)
    assert "Mean memorisation of these 5 images: 0.00;" in words(app)
    fine(app.button(key=TAKE).click().run())
    images = forget_set("tiny", "easy", 5, ModelCache("cpu", home), NullTracker())
    assert app.query_params["images"] == format_ranges(images)


def test_entangled_images_are_known_once_a_worker_has_computed_the_features(
    unfolded: Visit, home: Path, store: RunStore
) -> None:
    half_outputs.store(home)
    app = unfolded()
    fine(app.segmented_control(key=KIND).set_value("entangled").run())
    assert difficulty_sets.FEATURES_WORDS in words(app) and TAKE not in {one.key for one in app.button}
    app.button(key="compare-images").click().run()
    (order,) = store.list_runs(kinds=("features",))
    spec = FeaturesSpec(classifier="tiny")
    assert order.spec == spec
    models = ModelCache("cpu", home)
    store_features(spec, models, NullListener())
    app = unfolded()
    app.segmented_control(key=KIND).set_value("entangled").run()
    assert "more entangled than random sets of 16 images (entanglement score " in words(fine(app))
    fine(app.button(key=TAKE).click().run())
    images = forget_set("tiny", "entangled", 16, models, NullTracker())
    assert app.query_params["images"] == format_ranges(images)


def test_without_models_of_halves_it_says_how_to_make_them(unfolded: Visit) -> None:
    app = unfolded()
    assert "`python -m unlearn_core difficulty --dataset shapes`" in words(app)
    assert app.segmented_control(key=KIND).options == ["Entangled"]
    assert app.segmented_control(key=KIND).value == "entangled"


def test_points_have_no_such_sets(visit: Visit) -> None:
    app = fine(visit("forget", classifier="mlp-blobs", images="3"))
    assert "Select by difficulty" not in [one.label for one in app.expander]


def test_results_by_difficulty_are_offered_in_a_report_and_measured(visit: Visit, done: RunStore) -> None:
    half_outputs.store(done.data_dir)
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    assert difficulty.CHART.title in {heading.value for heading in app.header}
    app.button(key="measure-difficulty").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    spec = MeasureSpec(run=CLASS, what="difficulty")
    assert order.spec == spec
    measure_on_demand(spec, ModelCache("cpu", done.data_dir), NullListener())
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    assert difficulty.CHART.summary(reports.read(done.data_dir, CLASS)) in words(app)


def test_a_report_says_how_to_make_models_of_halves(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Images"))
    assert "`python -m unlearn_core difficulty --dataset shapes`" in words(app)
    assert "measure-difficulty" not in {one.key for one in app.button}
