"""The search, the order and the picks above the gallery, and likeness, which a worker computes."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import started
from tests.pages.lab.gallery_steps import data, labels, listed, pick
from tests.pages.page_asserts import fine, label, words
from unlearn_core.data.image_search import ImageFacts
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.engine.execute import ModelCache, execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import cache

TRAIN = 400
FEATURES = frozenset({"features"})


def opened(visit: Visit, **query: str) -> AppTest:
    return fine(visit("forget", **({"classifier": "tiny", "images": ""} | query)))


@pytest.fixture
def facts() -> ImageFacts:
    found = cache.image_facts("tiny", "shapes", 0)
    assert found is not None
    return found


def test_images_are_found_by_class_prediction_and_number(visit: Visit, facts: ImageFacts) -> None:
    app = opened(visit)
    assert labels(app)[0].startswith("rows 0 ✓ ")
    fine(app.text_input(key="gallery-file").set_value("7, 20-22").run())
    assert listed(app) == [7, 20, 21, 22]
    true = cache.image_dataset("shapes").labels[:TRAIN]
    fine(app.text_input(key="gallery-file").set_value("discs").run())
    assert listed(app) == np.flatnonzero((true == 3) | (facts.predictions[:TRAIN] == 3)).tolist()
    app.text_input(key="gallery-file").set_value("")
    fine(app.selectbox(key="gallery-predicted-shapes").set_value("discs").run())
    assert listed(app) == np.flatnonzero(facts.predictions[:TRAIN] == 3).tolist()
    fine(app.selectbox(key="gallery-predicted-shapes").set_value("wrong predictions").run())
    assert (facts.predictions[:TRAIN] == true).all() and "No image matches." in words(app)


def test_images_are_ordered_and_the_first_are_selected(visit: Visit, facts: ImageFacts) -> None:
    app = opened(visit, images="9", **{"gallery-order": "Hardest first (loss)", "gallery-count": "4"})
    hardest = np.argsort(-facts.loss[:TRAIN], kind="stable")
    assert listed(app) == hardest.tolist()
    fine(app.button(key="pick-first").click().run())
    assert app.query_params["images"] == ",".join(map(str, sorted({9, *hardest[:4].tolist()})))
    fine(app.button(key="pick-hardest").click().run())
    more = sorted({9, *[number for number in hardest.tolist() if number != 9][:8]})
    assert data(app, "gallery-tray")["selected"].count(",") <= 8 and listed(app, "gallery-tray") == more


def test_a_number_of_random_images_is_chosen_by_its_seed(visit: Visit) -> None:
    app = opened(visit, **{"gallery-order": "Random", "gallery-seed": "3"})
    expected = np.random.default_rng(3).permutation(TRAIN)
    assert listed(app) == expected.tolist() and label(app, "pick-first") == "Select the first 16"
    fine(app.button(key="pick-first").click().run())
    assert listed(app, "gallery-tray") == sorted(expected[:16].tolist())
    fine(app.number_input(key="gallery-seed").set_value(4).run())
    assert listed(app) != expected.tolist()


def test_likeness_is_computed_by_a_worker_and_then_selects(visit: Visit, store: RunStore, home: Path) -> None:
    app = opened(visit)
    assert app.button(key="pick-alike").disabled
    fine(pick(app, 5))
    fine(app.button(key="pick-alike").click().run())
    fine(app.button(key="pick-alike").click().run())
    (queued,) = store.list_runs(kinds=("features",))
    assert queued.spec == FeaturesSpec(classifier="tiny") and "it is next" in words(app)
    assert app.query_params["images"] == "5", "nothing is selected before it is known"
    run = started(store, kinds=FEATURES)
    store.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    fine(app.run())
    chosen = listed(app, "gallery-tray")
    true = cache.image_dataset("shapes").labels
    assert len(chosen) == 17 and 5 in chosen
    assert (true[chosen] == true[5]).mean() > 0.8, "those that are alike are of its class"
    fine(app.selectbox(key="gallery-order").set_value("alike").run())
    order = listed(app)
    fine(pick(app, 100))
    assert listed(app) == order, "a click does not order the list again"
    fine(app.button(key="order-again").click().run())
    assert listed(app)[0] == 100


def test_the_order_by_likeness_says_what_it_needs(visit: Visit, store: RunStore) -> None:
    app = opened(visit, **{"gallery-order": "Most like the selected first"})
    assert "Select images first" in words(app) and listed(app) == list(range(TRAIN))
    app = opened(visit, images="5", **{"gallery-order": "Most like the selected first"})
    assert not store.list_runs(kinds=("features",))
    fine(app.button(key="compare-images").click().run())
    run = started(store, kinds=FEATURES)
    store.execution.fail(run.id, run.attempt, "The device has no memory left.")
    app.run()
    assert "The device has no memory left." in app.error[0].value
    app.button(key="compare-images").click().run()
    assert len(store.list_runs(kinds=("features",))) == 2


def test_the_address_of_the_computation_opens_the_page_of_its_classifier(visit: Visit, store: RunStore) -> None:
    number = store.submit(FeaturesSpec(classifier="tiny"), title="Features")
    app = fine(visit("run", id=str(number)))
    assert app.title[0].value == "What should it forget?"
    assert label(app, "strip-classifier").startswith("Tiny")


def test_without_facts_there_is_no_order_by_them(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "image_facts", lambda *_: None)
    app = opened(visit)
    assert app.selectbox(key="gallery-order").options == ["As stored", "Random"]
    assert (
        "pick-hardest" not in {button.key for button in app.button}
        and labels(app)[0] == "rows 0, image of the class rows"
    )
