"""Choosing what to forget: classes or single images, and the sets that follow."""

import numpy as np
import pytest

from tests.pages.conftest import Visit, turn
from tests.pages.page_asserts import fine, foot, label, words
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.models import bundled_models
from unlearn_core.ui.shell import cache


def test_cats_are_ticked_for_a_newcomer(visit: Visit) -> None:
    app = fine(visit("forget"))
    assert [box.label for box in app.checkbox if box.value] == ["**cat**"]
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
    fine(app.checkbox(key="picture-shapes-5").check().run())
    assert app.query_params["images"] == "5"
    assert "forget" not in app.query_params
    fine(app.segmented_control(key="forget-by").set_value("classes").run())
    assert app.query_params["forget"] == "discs"
    fine(app.segmented_control(key="forget-by").set_value("images").run())
    assert app.checkbox(key="picture-shapes-5").value


def test_ticked_images_outlive_paging_filtering_and_other_pages(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", images="3")
    app.checkbox(key="picture-shapes-0").check().run()
    app.pagination(key="gallery-page").set_value(2).run()
    assert [box.key for box in app.checkbox] == [f"picture-shapes-{number}" for number in range(24, 48)]
    app.checkbox(key="picture-shapes-30").check().run()
    assert foot(app) == ("3 in the forget set", "397 in the retain set", "120 test images")

    turn(app, "method")
    fine(turn(app, "forget"))
    assert app.query_params["images"] == "0,3,30"
    assert app.pagination(key="gallery-page").value == 2
    app.selectbox(key="gallery-class-shapes").set_value("discs").run()
    labels = cache.image_dataset("shapes").labels
    shown = [int((box.key or "").rpartition("-")[2]) for box in app.checkbox]
    assert len(shown) == 24
    assert {int(labels[number]) for number in shown} == {3}
    assert app.checkbox(key="picture-shapes-3").value
    fine(app.toggle(key="gallery-ticked").set_value(True).run())
    assert [box.key for box in app.checkbox] == ["picture-shapes-3"]


def test_a_whole_page_is_ticked_at_once_and_all_is_cleared(visit: Visit) -> None:
    app = visit("forget", classifier="tiny", images="30")
    fine(app.button(key="tick-page").click().run())
    assert app.query_params["images"] == "0-23,30"
    assert app.button(key="tick-page").label == "Deselect the 24 on this page"
    fine(app.button(key="tick-page").click().run())
    assert app.query_params["images"] == "30"
    fine(app.button(key="clear").click().run())
    assert app.query_params["images"] == ""
    assert "Nothing is selected yet" in words(app)
    fine(app.toggle(key="gallery-ticked").set_value(True).run())
    assert "No image is selected yet." in words(app)


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
