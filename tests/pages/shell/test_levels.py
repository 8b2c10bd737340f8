"""Levels: what each shows, where a level comes from and where it stays, and that nothing set is ever hidden."""

from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT, Visit, turn
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from unlearn_core import methods
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.guidance.levels import FIRST_SECTIONS, LATER_PAGES, Level
from unlearn_core.ui.shell.navigation import PAGES

CHOICE = "level choice"


def level(app: AppTest) -> Level:
    return app.session_state[CHOICE]


def choose(app: AppTest, wanted: Level) -> AppTest:
    app.radio(key=CHOICE).set_value(wanted)
    return fine(app.run())


def tabs(app: AppTest) -> list[str]:
    return [tab.label for tab in app.tabs]


def hyperparameters(app: AppTest, method: str) -> set[str]:
    """The hyperparameters that have a widget on the page."""
    known = methods.method(method).params.hyperparameters()
    return {name for name in known if f"knob-{method}-{name}" in [one.key for one in _widgets(app)]}


def _widgets(app: AppTest) -> list:
    return [*app.slider, *app.select_slider, *app.toggle, *app.segmented_control, *app.text_input]


def remember(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the browser send this as the cookie of the level."""
    cookies = property(lambda context: {levels.COOKIE: text})
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.cookies", cookies)


@pytest.mark.parametrize(
    ("link", "cookie", "found", "in_url"),
    [
        ({}, "", "explorer", None),
        ({}, "first", "first", "first"),
        ({"level": "expert"}, "", "expert", "expert"),
        ({"level": "expert"}, "first", "expert", "expert"),
        ({"level": "explorer"}, "", "explorer", None),
        ({"level": "explorer"}, "expert", "explorer", "explorer"),
        ({"level": "no such"}, "expert", "expert", "expert"),
        ({"level": "no such"}, "nonsense", "explorer", None),
    ],
)
def test_a_link_precedes_what_the_browser_remembers(
    link: dict[str, str], cookie: str, found: str, in_url: str | None, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(cookie, monkeypatch)
    app = fine(visit("start", **link))
    assert (level(app), dict(app.query_params).get("level")) == (found, in_url)


def test_a_choice_is_kept_on_every_page_and_in_its_url(visit: Visit) -> None:
    app = choose(visit("forget", forget="cat"), "expert")
    for page in ("forget", "method", "sweep", "methods", "history", "measures", "run"):
        app = fine(turn(app, page))
        fine(app.run())
        assert (level(app), app.query_params["level"]) == ("expert", "expert"), page
    assert "level" not in choose(app, "explorer").query_params


def test_only_what_is_chosen_is_sent_to_the_browser(visit: Visit) -> None:
    def sent(app: AppTest) -> list[str]:
        found = [one.proto for one in app.get("bidi_component")]
        return [one.json for one in found if one.component_name == "remember-level"]

    app = visit("start", level="expert")
    assert not sent(app), "a link holds for one visit"
    assert '"first"' in sent(choose(app, "first"))[0]


# The menu.


def test_the_menu_of_a_first_look_has_the_main_road(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out: set[str] = set()
    navigation = st.navigation

    def listen(menu: dict[str, list[st.Page]], **options: Any) -> st.Page:
        left_out.clear()
        pages = [page for section in menu.values() for page in section if page.url_path in PAGES]
        left_out.update(page.url_path for page in pages if page.visibility == "hidden")
        return navigation(menu, **options)

    monkeypatch.setattr(st, "navigation", listen)
    for name, expected in (("explorer", set()), ("expert", set()), ("first", set(LATER_PAGES))):
        fine(visit("start", level=name))
        assert left_out == expected
    app = AppTest.from_file(ROOT / "unlearn_core" / "ui" / "shell" / "router.py", default_timeout=60)
    app.context["url"] = "http://localhost:8501/sweep"
    app.query_params["level"] = "first"
    app.run()
    assert left_out == {*LATER_PAGES} - {"sweep"}, "the page that is open is in the menu"


# What each level shows.


@pytest.mark.parametrize("method", ["unsir", "l2ul", "reinit", "retrain"])
def test_each_level_shows_more_hyperparameters(method: str, visit: Visit) -> None:
    known = methods.method(method).params.hyperparameters()
    basic = [name for name, info in known.items() if not info.advanced]
    first = fine(visit("method", method=method, level="first"))
    assert hyperparameters(first, method) == set(basic[: levels.MAIN_HYPERPARAMETERS])
    assert not [one for one in first.button if one.label == "Sweep"]
    for name, is_open in (("explorer", False), ("expert", True)):
        app = fine(visit("method", method=method, level=name))
        assert hyperparameters(app, method) == set(known)
        assert [one.proto.expanded for one in app.expander if one.label.startswith("Advanced")] == [is_open] * (
            len(known) > len(basic)
        )
        assert all(one.help.endswith("`.") is is_open for one in _widgets(app) if str(one.key).startswith("knob-"))


def test_a_first_look_hides_nothing_that_was_set(visit: Visit) -> None:
    app = fine(visit("method", method="unsir", level="first", impair_epochs="3", batch="100", seed="7"))
    assert {"impair_epochs", "batch"} <= hyperparameters(app, "unsir")
    assert app.number_input(key="seed").value == 7
    app.button(key="reset-knob-unsir-batch").click().run()
    assert "batch" not in hyperparameters(fine(app), "unsir")


def test_a_first_look_leads_on(visit: Visit) -> None:
    app = visit("method", method="unsir", level="first")
    assert "more hyperparameters, all as in the preset" in words(app)
    fine(app.button(key="all-hyperparameters").click().run())
    assert level(app) == "explorer" and "level" not in app.query_params
    assert hyperparameters(app, "unsir") == set(methods.method("unsir").params.hyperparameters())


def test_tabs_of_a_report_by_level(visit: Visit, done: RunStore) -> None:
    assert tabs(fine(visit("run", id=str(CLASS)))) == tabs(fine(visit("run", id=str(CLASS), level="expert")))
    app = fine(visit("run", id=str(CLASS), level="first"))
    assert tabs(app) == list(FIRST_SECTIONS)
    assert "3 of 7 tabs. Also measured: Privacy, Inside, How it went, Details." in words(app)
    fine(app.button(key="all-tabs").click().run())
    assert tabs(app) == list(SECTIONS) and "Also measured" not in words(app)


def test_tabs_of_a_comparison_by_level(visit: Visit, done: RunStore) -> None:
    ids = f"{CLASS},{PICTURES}"
    assert "Privacy" in tabs(fine(visit("compare", ids=ids)))
    app = fine(visit("compare", ids=ids, level="first"))
    assert tabs(app) == list(FIRST_SECTIONS)


@pytest.mark.parametrize(("link", "shown"), [("Privacy", "Privacy"), ("Details", "Details"), ("Logits", "Inside")])
def test_a_link_opens_its_tab_at_a_first_look_and_it_stays(link: str, shown: str, visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), level="first", tab=link))
    assert tabs(app) == [*FIRST_SECTIONS, shown] and app.session_state["tab"] == shown
    app.query_params["tab"] = "Images"
    fine(app.run())
    assert tabs(app) == [*FIRST_SECTIONS, shown] and app.session_state["tab"] == "Images"


def test_a_first_run_begins_with_a_first_look(visit: Visit, home) -> None:
    app = fine(visit("start").button(key="forget-cats").click().run())
    assert level(app) == "first" and app.query_params["level"] == "first"


@pytest.mark.parametrize("source", ["link", "cookie", "choice"])
def test_a_level_that_was_chosen_stays_in_the_first_run(
    source: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "cookie":
        remember("explorer", monkeypatch)
    app = visit("start", **({"level": "expert"} if source == "link" else {}))
    if source == "choice":
        choose(choose(app, "expert"), "explorer")
    before = level(app)
    assert level(fine(app.button(key="forget-cats").click().run())) == before != "first"
