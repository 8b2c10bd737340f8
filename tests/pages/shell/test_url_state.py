"""Widgets whose value is in the URL: it is read from a link, written after a change, and left out at the default."""

import pytest
from streamlit.testing.v1 import AppTest

from unlearn_core.ui.shell import url_state


def page() -> None:
    import streamlit as st

    from unlearn_core.ui.shell import url_state

    def points(text: str) -> int:
        return url_state.parse_number(text) or 8

    with url_state.bound("number of points", "points", default=8, parse=points):
        st.number_input("Points", min_value=1, step=1, key="number of points")
    with url_state.bound_list("chosen runs", "ids", (3, 5, 9), most=2):
        st.multiselect("Runs", (3, 5, 9), key="chosen runs")
    with url_state.bound_list("chosen aims", "aim", ("forget", "retain"), default=("forget", "retain")):
        st.multiselect("Aims", ("forget", "retain"), key="chosen aims")


def opened(**link: str) -> AppTest:
    app = AppTest.from_function(page)
    app.query_params.update(link)
    app.run()
    assert not app.exception, app.exception
    return app


def values(app: AppTest) -> tuple[int, list[int], list[str]]:
    state = app.session_state
    return state["number of points"], state["chosen runs"], state["chosen aims"]


@pytest.mark.parametrize(
    ("link", "shown", "left"),
    [
        ({}, (8, [], ["forget", "retain"]), {}),
        ({"points": "3", "ids": "9,3"}, (3, [9, 3], ["forget", "retain"]), {"points": "3", "ids": "9,3"}),
        ({"points": "8", "aim": "forget,retain"}, (8, [], ["forget", "retain"]), {}),
        ({"aim": "retain,forget"}, (8, [], ["retain", "forget"]), {"aim": "retain,forget"}),
        ({"ids": "9,9,4,x,5,3", "points": "many", "aim": "x"}, (8, [9, 5], ["forget", "retain"]), {"ids": "9,5"}),
    ],
)
def test_a_link_sets_what_it_names_and_keeps_what_is_not_the_default(
    link: dict[str, str], shown: tuple[int, list[int], list[str]], left: dict[str, str]
) -> None:
    app = opened(**link)
    for _ in range(2):
        assert (values(app), dict(app.query_params)) == (shown, left)
        app.run()


def test_a_change_is_written_and_the_default_removes_the_parameter() -> None:
    app = opened(ids="3")
    app.number_input(key="number of points").set_value(20)
    app.multiselect(key="chosen runs").set_value([3, 5]).run()
    assert (values(app)[:2], dict(app.query_params)) == ((20, [3, 5]), {"points": "20", "ids": "3,5"})
    app.number_input(key="number of points").set_value(8)
    app.multiselect(key="chosen runs").set_value([]).run()
    assert (values(app)[:2], dict(app.query_params)) == ((8, []), {})


def test_a_link_that_is_followed_later_changes_the_widget() -> None:
    app = opened(points="3")
    app.query_params["points"] = "5"
    app.run()
    assert values(app)[0] == 5
    del app.query_params["points"]
    app.run()
    assert values(app)[0] == 8


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("042", 42), ("999999999", 999_999_999), ("9999999999", None), ("-1", None), ("½", None), ("٣", None)],
)
def test_only_short_whole_numbers_are_read(text: str, number: int | None) -> None:
    assert url_state.parse_number(text) == number
