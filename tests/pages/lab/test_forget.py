"""Choosing what to forget: classes or single images, and the sets that follow."""

from typing import Any

import numpy as np
import pytest

from tests.pages.conftest import Visit, turn
from tests.pages.lab.gallery_steps import ALL, TRAY, data, keys, listed, pick
from tests.pages.page_asserts import fine, foot, label, words
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.models import bundled_models
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.run_setup import RunSetup


def test_cats_are_ticked_for_a_newcomer(visit: Visit) -> None:
    app = fine(visit("forget"))
    assert [box.label for box in app.checkbox if box.value] == ["cat"]
    assert foot(app) == ("1,000 in the forget set", "9,000 in the retain set", "200 + 1,800 test images")
    assert not app.button(key="strip-run").disabled


def test_a_card_shows_the_accuracy_of_the_bundled_model(visit: Visit) -> None:
    app = fine(visit("forget"))
    images, original = datasets.load("cifar10-sample"), bundled_models.find_bundled("resnet20", None, 0)
    assert original
    right = bundled_models.read_logits(original).argmax(1) == images.labels
    for number in range(10):
        unseen = np.flatnonzero(images.labels == number)[-200:]
        assert f"accuracy {round(100 * right[unseen].mean())} %" in words(app)


def test_another_tick_forgets_more_and_is_in_the_address(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", forget="checks")
    fine(app.checkbox(key="class-shapes-0").check().run())
    assert foot(app) == ("200 in the forget set", "200 in the retain set", "60 + 60 test images")
    assert app.query_params["forget"] == "rows,checks"
    assert label(app, "strip-forget") == "rows, checks · 200 images"


@pytest.mark.parametrize(
    ("ticked", "why"), [("", "Nothing is selected yet"), ("rows,columns,checks,discs", "all classes")]
)
def test_nothing_and_everything_cannot_be_run(visit: Visit, ticked: str, why: str) -> None:
    app = fine(visit("forget", classifier="tiny", forget=ticked))
    assert why in words(app)
    assert app.button(key="strip-run").disabled
    assert app.button(key="next").disabled


def test_the_last_tick_can_be_taken_away(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", forget="checks")
    fine(app.checkbox(key="class-shapes-2").uncheck().run())
    assert app.query_params["forget"] == ""
    assert app.button(key="strip-run").disabled
    assert label(app, "strip-forget") == "nothing selected yet"


@pytest.mark.skipif(
    bundled_models.find_bundled(
        "resnet20", standard_requests(datasets.card("cifar10-sample"))["16-pictures"], bundled_models.GOLD_SEED_OFFSET
    )
    is None,
    reason="Its gold is not in assets.",
)
def test_a_request_whose_gold_ships_is_one_click(visit: Visit) -> None:
    app = visit("forget", images="3", method="finetune")
    fine(app.button(key="take-16-pictures").click().run())
    assert foot(app)[0] == "16 in the forget set"
    assert app.button(key="take-16-pictures").disabled
    assert not app.button(key="strip-run").disabled


def test_both_kinds_of_choice_are_remembered(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", forget="discs")
    app.segmented_control(key="forget-by").set_value("images").run()
    fine(pick(app, 5))
    assert app.query_params["images"] == "5"
    assert "forget" not in app.query_params
    fine(app.segmented_control(key="forget-by").set_value("classes").run())
    assert app.query_params["forget"] == "discs"
    fine(app.segmented_control(key="forget-by").set_value("images").run())
    assert data(app, ALL)["selected"] == "5"


def test_selected_images_outlive_filtering_and_other_pages(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", images="3")
    assert listed(app) == list(range(400)) and listed(app, TRAY) == [3]
    fine(pick(app, 0, 3, 30))
    assert foot(app) == ("3 in the forget set", "397 in the retain set", "120 test images")
    assert listed(app, TRAY) == [0, 3, 30]

    turn(app, "method")
    fine(turn(app, "forget"))
    assert app.query_params["images"] == "0,3,30"
    app.selectbox(key="gallery-class-shapes").set_value("discs").run()
    labels = cache.image_dataset("shapes").labels[:400]
    assert listed(app) == np.flatnonzero(labels == 3).tolist()
    assert data(app, ALL)["selected"] == "0,3,30", "what is not listed stays selected"
    fine(app.toggle(key="gallery-ticked").set_value(True).run())
    assert listed(app) == [3]


def test_a_selection_in_the_tray_is_taken_back(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="0-23,30"))
    fine(pick(app, 30, key=TRAY))
    assert app.query_params["images"] == "30"
    assert data(app, TRAY)["revision"] == 1 and data(app, ALL)["revision"] == 0
    fine(app.button(key="clear").click().run())
    assert app.query_params["images"] == "" and keys(app) == {ALL}
    assert "Nothing is selected yet" in words(app)
    fine(app.toggle(key="gallery-ticked").set_value(True).run())
    assert "No image is selected yet." in words(app)


def test_undo_brings_back_whatever_was_selected(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="3"))
    assert app.button(key="undo").disabled
    fine(pick(app, 3, 7))
    fine(app.button(key="clear").click().run())
    fine(app.button(key="undo").click().run())
    assert app.query_params["images"] == "3,7"
    fine(app.segmented_control(key="forget-by").set_value("classes").run())
    fine(app.button(key="undo").click().run())
    assert app.query_params["images"] == "3" and app.button(key="undo").disabled
    app = fine(visit("forget", classifier="tiny", forget="discs"))
    fine(app.checkbox(key="class-shapes-0").check().run())
    fine(app.button(key="undo").click().run())
    assert app.query_params["forget"] == "discs"


def test_undo_forgets_the_selections_of_another_classifier(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="3"))
    fine(pick(app, 4))
    url = {**app.session_state["setup"].__dict__, "classifier": "resnet20", "dataset": "cifar10-sample"}
    app.session_state["setup"] = RunSetup(**url)
    assert fine(app.run()).button(key="undo").disabled


@pytest.mark.parametrize("sent", [{"images": "400"}, {"images": "<b>"}, {"images": 7}, {"revision": "x"}])
def test_a_selection_that_cannot_be_is_refused(visit: Visit, sent: dict[str, Any]) -> None:
    app = visit("forget", classifier="tiny", images="3")
    fine(pick(app, 5, **sent))
    assert app.query_params["images"] == "3"
    assert "that this data set does not have" in app.toast[0].value


def test_a_link_of_a_former_release_opens_at_its_page(visit: Visit) -> None:
    app = fine(visit("forget", classifier="tiny", images="3", **{"gallery-page": "3"}))
    assert data(app, ALL)["start"] == 48 and "gallery-page" not in app.query_params
    assert data(fine(app.run()), ALL)["start"] == 0
    assert data(visit("forget", classifier="tiny", images="3", **{"gallery-page": "x"}), ALL)["start"] == 0


def test_a_long_choice_comes_back_by_its_short_address(visit: Visit) -> None:
    many = ",".join(str(number) for number in range(0, 10_000, 3))
    first = fine(visit("forget", images=many))
    assert "images" not in first.query_params
    again = fine(visit("forget", set=first.query_params["set"]))
    assert foot(again) == foot(first) == ("3,334 in the forget set", "6,666 in the retain set", "2,000 test images")


def test_next_leads_to_the_method_with_the_choice(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", forget="rows")
    fine(app.button(key="next").click().run())
    assert app.title[0].value == "How should it forget?"
    assert app.query_params["forget"] == "rows"
