"""Corrective unlearning on the pages: wrong labels are one click, true labels are shown, and outputs come on demand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import started
from tests.pages.lab.gallery_steps import ALL, TRAY, data, labels, listed, listing
from tests.pages.page_asserts import fine, foot, words
from unlearn_core.data import datasets
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.domain.run import RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import ModelCache, execute_job, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.models import bundled_models
from unlearn_core.models.bundled_models import BundledModel
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import cache

CLASSIFIER, TRAIN = "resnet8-mislabelled", 400
FEATURES = frozenset({"features"})


@pytest.fixture
def mislabelled() -> ImageDataset:
    return cache.image_dataset("cifar10-sample-mislabelled")


def test_all_or_half_of_the_wrong_labels_are_one_click(visit: Visit, mislabelled: ImageDataset) -> None:
    app = fine(visit("forget", classifier=CLASSIFIER, images="3", method="finetune"))
    assert "Images with a wrong label" in words(app) and app.button(key="take-mislabelled").label == "All 800"
    fine(app.button(key="take-mislabelled").click().run())
    assert foot(app)[:2] == ("800 in the forget set", "9,200 in the retain set")
    assert listed(app, TRAY) == mislabelled.mislabelled.tolist()
    assert app.button(key="take-mislabelled").disabled and not app.button(key="strip-run").disabled
    fine(app.button(key="take-mislabelled-half").click().run())
    assert foot(app)[:2] == ("400 in the forget set", "9,600 in the retain set")
    assert set(listed(app, TRAY)) < set(mislabelled.mislabelled.tolist())
    fine(app.button(key="undo").click().run())
    assert foot(app)[0] == "800 in the forget set"


def test_the_gallery_shows_the_true_label_beside_the_given_one(visit: Visit, mislabelled: ImageDataset) -> None:
    app = fine(visit("forget", classifier=CLASSIFIER, images="3", method="finetune"))
    wrong, right = int(mislabelled.mislabelled[0]), int(np.setdiff1d(np.arange(99), mislabelled.mislabelled)[0])
    assert mislabelled.true_labels is not None
    given, true = (
        datasets.card("cifar10-sample").classes[own[wrong]] for own in (mislabelled.labels, mislabelled.true_labels)
    )
    assert {given, true} == {"automobile", "truck"}
    said, other = listing(app, ALL).describe(np.array([wrong, right]))
    assert said.lines == (f"{given} {wrong}", f"true: {true}")
    assert f"wrong label, true class {true}" in said.label
    assert other.lines[1] == "" and "true" not in other.label
    assert data(app, ALL)["lines"] == 2


def test_the_card_counts_the_retrained_models(visit: Visit) -> None:
    app = fine(visit("classifier", classifier=CLASSIFIER))
    assert "Included for 2 standard requests: the same architecture" in words(app)


def test_classifiers_with_right_labels_are_offered_no_correction(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="3"))
    assert "take-mislabelled" not in {button.key for button in app.button}
    assert "true:" not in " ".join(labels(app))


def test_a_data_set_says_how_many_labels_are_wrong(visit: Visit) -> None:
    app = fine(visit("datasets", dataset="cifar10-sample-mislabelled"))
    assert "800 training images have a label that is known to be wrong." in words(app)


@pytest.fixture
def wrong_shapes(monkeypatch: pytest.MonkeyPatch) -> Iterator[np.ndarray]:
    """The shapes, in which the first twenty training images of rows and of columns have each other's label."""
    load, data = datasets.load, datasets.load("shapes")
    rows, columns = (np.flatnonzero(data.labels[:TRAIN] == number)[:20] for number in (0, 1))
    true = data.labels.copy()
    true[rows], true[columns] = 1, 0
    monkeypatch.setattr(datasets, "load", lambda name: load(name)._replace(true_labels=true))
    cache.image_dataset.clear()  # type: ignore[attr-defined]
    yield np.union1d(rows, columns)
    cache.image_dataset.clear()  # type: ignore[attr-defined]


def test_the_report_says_whether_the_accuracy_came_back(visit: Visit, home: Path, wrong_shapes: np.ndarray) -> None:
    spec = run_spec("tiny", method="finetune", images=wrong_shapes[:30].tolist(), preset="bundled")
    result = unlearn(spec, device="cpu", data_dir=home).report[InterclassConfusionResult]
    assert (result.classes, result.num_mislabelled, result.num_forgotten) == ([0, 1], 40, 30)
    app = fine(visit("run", id="1"))
    said = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "**Wrong labels.** Accuracy on 60 test images of rows and columns" in said
    assert "10 of 40 wrong labels are not in the forget set." in said
    assert "Interclass confusion" in [heading.value for heading in app.header]
    assert "of the 30 forget images are still predicted with their wrong label" in said
    app = fine(visit("run", id="1", tab="Images", **{"look-set": "forget set, training"}))
    shown = listing(app, "look-gallery-1")
    assert shown.lines == 3
    assert all(one.lines[2].startswith("true: ") for one in shown.describe(shown.images.astype(int)))


def test_other_reports_say_nothing_of_wrong_labels(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id="1"))
    assert "Wrong labels" not in words(app) and "Interclass confusion" not in [one.value for one in app.header]


@pytest.fixture
def without_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No classifier ships with its outputs."""
    monkeypatch.setattr(BundledModel, "has_outputs", property(lambda _: False))


@pytest.mark.usefixtures("without_outputs")
@pytest.mark.parametrize("page", ["forget", "classifier"])
def test_outputs_that_do_not_ship_are_computed_once(visit: Visit, store: RunStore, home: Path, page: str) -> None:
    app = fine(visit(page, classifier="tiny", forget="checks"))
    fine(app.run())
    (queued,) = store.list_runs(kinds=("features",))
    assert queued.spec == FeaturesSpec(classifier="tiny") and "it is next" in words(app)
    assert "accuracy 9" not in words(app) and not app.dataframe
    run = started(store, kinds=FEATURES)
    store.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    app = fine(visit(page, classifier="tiny", forget="checks"))
    images, original = datasets.load("shapes"), bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    correct = (bundled_models.read_logits(original).argmax(1) == images.labels)[-120:]
    checks = round(100 * correct[images.labels[-120:] == 2].mean())
    if page == "forget":
        assert f"accuracy {checks} %" in words(app)
    else:
        assert app.dataframe[0].value["right"][2] == checks
    assert len(store.list_runs(kinds=("features",))) == 1


@pytest.mark.usefixtures("without_outputs")
def test_the_gallery_is_fetched_again_once_predictions_are_known(visit: Visit, store: RunStore, home: Path) -> None:
    before = data(visit("forget", classifier="tiny", images="3"), ALL)
    run = started(store, kinds=FEATURES)
    store.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    after = data(fine(visit("forget", classifier="tiny", images="3")), ALL)
    assert (before["lines"], after["lines"]) == (1, 2) and before["url"] != after["url"]


@pytest.mark.usefixtures("without_outputs")
def test_a_failed_computation_is_not_repeated_without_a_click(visit: Visit, store: RunStore) -> None:
    visit("forget", classifier="tiny", forget="checks")
    run = started(store, kinds=FEATURES)
    store.execution.fail(run.id, run.attempt, "The device has no memory left.")
    app = visit("forget", classifier="tiny", forget="checks")
    assert "The device has no memory left." in app.error[0].value
    assert len(store.list_runs(kinds=("features",))) == 1
    app.button(key="evaluate-classifier").click().run()
    assert [run.state for run in store.list_runs(kinds=("features",))] == [RunState.QUEUED, RunState.FAILED]
