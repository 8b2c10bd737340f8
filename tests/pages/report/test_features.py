"""The map of features in a report and on Compare: offered, drawn, and what is selected; and the representation."""

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, made_again
from tests.pages.lab.gallery_steps import data, keys, labels, listed, pick
from tests.pages.page_asserts import fine, words
from unlearn_core.charts.report import feature_map, representation
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec
from unlearn_core.engine.execute import measure_on_demand
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

MAPS, GALLERY = f"feature-map-{CLASS}-maps", f"feature-map-{CLASS}-gallery"


@pytest.fixture
def mapped(done: RunStore) -> RunStore:
    """The data folder after the map of the first run was drawn."""
    measure_on_demand(MeasureSpec(run=CLASS, what="feature_map"), ModelCache("cpu", done.data_dir), NullListener())
    return done


def test_it_is_offered_with_its_cost(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    assert feature_map.CHART.title in {heading.value for heading in app.header}
    assert not keys(app)
    app.button(key="measure-feature_map").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    assert order.spec == MeasureSpec(run=CLASS, what="feature_map")
    assert "**Queued.**" in words(fine(app))


def test_what_is_selected_on_it_is_listed_and_explained(visit: Visit, mapped: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    report = reports.read(mapped.data_dir, CLASS)
    assert feature_map.CHART.summary(report) in words(app)
    images = listed(app, MAPS)
    assert keys(app) == {MAPS} and data(app, MAPS)["total"] == len(images)
    pick(app, 0, 2, key=MAPS)
    assert listed(fine(app), GALLERY) == [images[0], images[2]]
    assert all("○ " in label and "retrained: " in label for label in labels(app, GALLERY))
    assert data(app, MAPS)["selected"] == "0,2"
    pick(app, images[2], key=GALLERY)
    said = words(fine(app))
    name = report.dataset.classes[report.labels[images[2]]]
    assert f"**Logits of {name}, image {images[2]}**" in said
    (query,) = mapped.list_runs(kinds=("look",))
    assert query.spec == ExplainSpec(run=CLASS, picture=images[2], target=int(report.labels[images[2]]))
    pick(app, key=MAPS)
    assert keys(fine(app)) == {MAPS}


def test_a_selection_that_is_not_on_the_map_is_refused(visit: Visit, mapped: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    pick(app, key=MAPS, images="0-99999")
    assert [one.value for one in app.toast] == ["The map sent a selection that it does not have. Reload the page."]
    assert keys(app) == {MAPS}


def test_runs_are_compared_on_maps_of_the_same_images(visit: Visit, mapped: RunStore) -> None:
    other, without = made_again(mapped), made_again(mapped)
    (mapped.data_dir / "runs" / str(without) / "parts" / "feature_map.json").unlink()
    app = fine(visit("compare", ids=f"{CLASS},{other},{without}", tab="Inside"))
    key = f"compare-map-{CLASS}-{other}"
    assert keys(app) == {f"{key}-maps"}
    assert feature_map.OFFER_TEXT in words(app)
    pick(app, 1, key=f"{key}-maps")
    (image,) = listed(fine(app), f"{key}-gallery")
    pick(app, image, key=f"{key}-gallery")
    assert words(fine(app)).count("**Logits of ") == 2
    assert {run.spec.run for run in mapped.list_runs(kinds=("look",)) if isinstance(run.spec, ExplainSpec)} == {
        CLASS,
        other,
    }


def test_the_representation_is_offered_measured_and_part_of_the_verdict(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    app.button(key="measure-representation").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    spec = MeasureSpec(run=CLASS, what="representation")
    assert order.spec == spec
    measure_on_demand(spec, ModelCache("cpu", done.data_dir), NullListener())
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    report = reports.read(done.data_dir, CLASS)
    assert representation.CHART.summary(report) in words(app)
    assert "a linear probe on its features finds" in words(fine(visit("run", id=str(CLASS)))).lower()


def test_the_example_has_a_map_without_grad_cam(visit: Visit) -> None:
    app = fine(visit("run", id="example", tab="Inside"))
    maps, gallery = "feature-map-None-maps", "feature-map-None-gallery"
    assert representation.CHART.summary(reports.load_example()) in words(app)
    pick(app, 0, key=maps)
    pick(app, *listed(fine(app), gallery), key=gallery)
    said = words(fine(app))
    assert "**Logits of cat, image " in said and "bundled with the lab, so Grad-CAM is not available" in said
