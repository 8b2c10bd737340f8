"""The report's tabs of classes and of what is inside the model: with gold, without it, and of an old report."""

import json
import shutil
from pathlib import Path

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts.privacy import retained_membership, rmia
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore


def test_every_distance_stands_beside_gold(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    said = words(app)
    assert "ZRF went from" in said and "the retrained model, which is the aim, has" in said
    assert "metrics, it is now closer to the retrained model, on training images of the forget set" in said
    overview = words(fine(visit("run", id=str(CLASS))))
    assert "Spread unknown: only one retrained model." in overview and "--seed 1" in overview
    assert "Tug of war is" in overview and "The average gap to the retrained model is" in overview
    assert len(app.get("plotly_chart")) == 7
    assert not without_words(app)


def test_the_set_can_be_switched(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Inside")
    app.segmented_control(key="report-closeness-way").set_value("Retain set, test").run()
    assert "closer to the retrained model, on test images of the retain set" in words(fine(app))


def test_attack_curves_are_of_retained_or_of_forget_images(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert "Its AUC changed by" in words(app)
    app.segmented_control(key="report-retained_membership-way").set_value("Forget images").run()
    report = reports.read(done.data_dir, CLASS)
    assert retained_membership.CHART.variants["Forget images"].summary(report) in words(fine(app))


def test_forget_images_are_attacked_with_reference_models(visit: Visit, done: RunStore) -> None:
    report = reports.read(done.data_dir, CLASS)
    assert rmia.CHART.summary(report) in words(fine(visit("run", id=str(CLASS), tab="Privacy")))
    assert rmia.CHART.applies(reports.read(done.data_dir, PICTURES)) == "There is no retrained model to compare with."


def test_without_gold_the_tab_says_so_and_shows_the_rest(visit: Visit, done: RunStore) -> None:
    said = words(fine(visit("run", id=str(PICTURES), tab="Inside")))
    assert "There is no retrained model to measure the distance to." in words(fine(visit("run", id=str(PICTURES))))
    assert "There is no retrained model to compare with." in said
    assert "There is no retrained model yet to compare with." in said
    assert "ZRF went from" in said


def test_classes_have_a_panel_a_model(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Classes"))
    assert len(app.get("plotly_chart")) == 2 + 3
    assert "**retrained**" in words(app)
    app = fine(visit("run", id=str(PICTURES), tab="Classes"))
    assert len(app.get("plotly_chart")) == 2 + 2
    assert words(app).count("There is no retrained model for this request yet") >= 1


def test_weights_can_be_measured_in_other_ways(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Inside"))
    assert "of its norm" in words(app)
    app.segmented_control(key="report-layers-way").set_value("L2").run()
    assert "in L2)" in words(fine(app))
    app.segmented_control(key="report-layers-way").set_value("By kind of weights").run()
    assert "Conv moved" in words(fine(app)) or "Head moved" in words(app) or "Norm moved" in words(app)


def test_an_overview_has_no_switches(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)))
    assert "report-layers-way" not in [one.key for one in app.segmented_control]


def test_a_report_from_before_these_measures_says_so(visit: Visit, done: RunStore, home: Path) -> None:
    folder = artifacts.run_dir(home, CLASS)
    for part in ("closeness", "cka", "zrf"):
        shutil.rmtree(folder / "parts" / part, ignore_errors=True)
        for path in (folder / "parts").glob(f"{part}.*"):
            path.unlink()
    path = folder / "parts" / "layers.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({key: facts[key] for key in ("rows", "buffers", "total")}))
    said = words(fine(visit("run", id=str(CLASS), tab="Inside")))
    for part in ("closeness", "cka", "zrf"):
        assert f"This run has no record of its {part}" in said
    app = visit("run", id=str(CLASS), tab="Inside")
    app.segmented_control(key="report-layers-way").set_value("By kind of weights").run()
    assert "earlier release" in words(fine(app))
