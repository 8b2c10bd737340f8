"""The runs and the sweep that ship, on the pages: to be seen before anybody has run anything, and marked."""

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, words
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.history import shipped_table

TITLE = "8 finished runs that ship with the lab"


def test_an_empty_history_lists_them_and_compares_those_that_are_ticked(visit: Visit) -> None:
    app = fine(visit("history"))
    assert TITLE in [one.label for one in app.expander]
    table = app.dataframe(key=shipped_table.TABLE_KEY).value
    assert list(table["run"]) == [f"Shipped run {number}" for number in range(1, 9)]
    assert app.button(key="shipped-compare").disabled
    app.session_state[shipped_table.TABLE_KEY] = {"selection": {"rows": [1, 3], "columns": [], "cells": []}}
    app.run()
    app.button(key="shipped-compare").click().run()
    assert fine(app).query_params["ids"] == "-2,-4"
    assert app.title[0].value == "Which did better?"


def test_below_runs_of_ones_own_they_are_folded_and_drawn_once_opened(visit: Visit, done: RunStore) -> None:
    app = fine(visit("history"))
    assert TITLE in [one.label for one in app.expander]
    assert "shipped-compare" not in {button.key for button in app.button}
    app.session_state["shipped"] = True
    assert fine(app.run()).button(key="shipped-compare").disabled


def test_a_shipped_report_says_so_and_offers_nothing_that_needs_its_weights(visit: Visit) -> None:
    app = fine(visit("run", id="-6"))
    assert app.title[0].value == "Forget *16 images* with L2UL"
    assert app.caption[0].value.startswith("Shipped run 6 · a finished run, bundled with the lab")
    assert not {"repeat", "measure-lira"} & {button.key for button in app.button}
    app.button(key="compare").click().run()
    assert fine(app).query_params["ids"] == "-6"


def test_every_tab_of_a_shipped_report_is_drawn(visit: Visit) -> None:
    for tab in ("Images", "Privacy", "Inside", "Details"):
        app = fine(visit("run", id="-2", tab=tab))
        assert "Forget" in app.title[0].value, tab
    assert "Shipped run 2" in words(app) or app.code


def test_the_shipped_sweep_is_listed_and_opened(visit: Visit) -> None:
    assert "ships with the lab" in words(fine(visit("sweep")))
    app = fine(visit("sweep", sweep="-1"))
    assert app.caption[0].value.startswith("Shipped sweep · UNSIR on ship · 10 of 10 trials")
    assert "Trial" in str(app.dataframe[0].value["open"][0])
