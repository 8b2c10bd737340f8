"""The first screen of a report, and the presenter view: for each kind of report, in the same order."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, without_words, words
from tests.pages.report.pending_runs import begin
from unlearn_core.charts import charts
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.domain.report import NOT_YET
from unlearn_core.store.queue.run_store import RunStore


def opened(app: AppTest) -> AppTest:
    """The page, once it is clear that its first screen has every part."""
    said = words(fine(app))
    assert app.header[0].value.endswith(".")
    assert said.count("-badge[") >= 3
    assert "**Privacy.**" in said and "no legal guarantee" in said
    assert not without_words(app)
    return app


def maps(app: AppTest) -> list[str]:
    return [one.caption for element in app.get("image") for one in element.proto.imgs]


def test_one_screen_has_answer_numbers_images_privacy_and_limits(visit: Visit, done: RunStore) -> None:
    app = opened(visit("run", id=str(CLASS)))
    assert [number.label for number in app.metric] == [
        app.metric[0].label,
        "Other classes classified correctly",
        "Same prediction as the retrained model",
    ]
    assert "Retrained model: " in words(app) and "Difference: " in words(app)
    assert [caption.partition(" ")[0] for caption in maps(app)] == ["discs,", "before", "after", "retrained"]


def test_without_a_retrained_model_the_same_parts_are_there(visit: Visit, done: RunStore) -> None:
    app = opened(visit("run", id=str(PICTURES)))
    assert len(app.metric) == 2 and "Before: " in words(app)
    assert "There is no retrained model" in words(app) or NO_GOLD in words(app)
    assert [caption.partition(" ")[0] for caption in maps(app)][1:] == ["before", "after"]


def test_what_is_still_to_come_keeps_its_place(visit: Visit, done: RunStore) -> None:
    app = opened(visit("run", id=str(begin(done).id)))
    assert len(app.metric) == 3 and not maps(app)
    assert f"Grad-CAM: before, after, retrained: {NOT_YET}" in words(app)
    assert f"**Privacy.** {NOT_YET}" in words(app)


# The presenter view.


def press(app: AppTest, key: str) -> AppTest:
    return fine(app.button(key=f"present-{key}").click().run())


def test_slides_are_turned_by_buttons_with_arrow_keys(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS)).button(key="present").click().run())
    assert app.query_params["present"] == "1" and app.button(key="present-previous").disabled
    keys = [app.button(key=f"present-{key}").proto.shortcut for key in ("previous", "next", "leave")]
    assert keys == ["left", "right", "escape"]
    assert not without_words(press(app, "next")) and app.query_params["present"] == "2"
    assert app.title[0].value == charts()["cam"].title and len(maps(app)) == 4
    assert app.title[0].value != press(app, "next").title[0].value == charts()["accuracy"].title
    assert len(app.get("plotly_chart")) == 1, "one chart a screen"
    press(app, "previous")
    assert app.query_params["present"] == "2"
    press(app, "leave")
    assert "present" not in app.query_params and app.title[0].value == "Forget *discs* with UNSIR"


@pytest.mark.parametrize("is_reloaded", [False, True])
def test_leaving_returns_to_the_tab(is_reloaded: bool, visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Privacy").button(key="present").click().run())
    link = {"id": str(CLASS), "present": "2", "from": "Privacy"}
    assert dict(press(app, "next").query_params) == link
    if is_reloaded:
        app = fine(visit("run", **link))
    press(app, "leave")
    assert app.session_state["tab"] == "Privacy" and dict(app.query_params) == {"id": str(CLASS), "tab": "Privacy"}


def test_a_tab_that_does_not_exist_is_not_returned_to(visit: Visit, done: RunStore) -> None:
    app = press(fine(visit("run", id=str(CLASS), present="1", **{"from": "Nowhere"})), "leave")
    assert app.session_state["tab"] == "Overview" and "from" not in app.query_params


@pytest.mark.parametrize(("wanted", "shown"), [("x", "1"), ("0", "1"), ("999", None)])
def test_a_slide_that_does_not_exist_shows_the_nearest(wanted: str, shown: str | None, visit: Visit, done) -> None:
    app = fine(visit("run", id=str(CLASS), present=wanted))
    said = app.caption[-1].value.partition(" · ")[0]
    number, _, last = said.partition(" of ")
    assert number == (shown or last)
    assert app.button(key="present-next").disabled is (shown is None)


@pytest.mark.slow
def test_every_slide_can_be_drawn(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), present="1"))
    titles = {app.title[0].value}
    while not app.button(key="present-next").disabled:
        titles.add(press(app, "next").title[0].value)
    assert {charts()[name].title for name in ("accuracy", "cam", "classes", "membership", "cka", "curve")} <= titles


def test_a_run_without_a_report_is_not_presented(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id="999", present="3"))
    assert app.title[0].value == "There is no such run" and "present" not in app.query_params
