"""Links with labels of tabs and switches that a former release wrote, and that are called otherwise today."""

import pytest
from streamlit.testing.v1 import AppTest

from unlearn_core.charts import charts

VARIANTS = [(chart.id, label) for chart in charts().values() for label in chart.former_variants]


def page(former: dict[str, str]) -> None:
    import streamlit as st

    from unlearn_core.ui.shell import url_state

    url_state.accept_former_labels("tab", former)
    for tab in st.tabs(["Overview", "Images", "Details"], key="tab", bind="query-params"):
        if tab.open:
            tab.write(st.session_state["tab"])
    st.button("again", key="again")


@pytest.mark.parametrize(
    ("link", "shown"),
    [("Pictures", "Images"), ("Images", "Images"), ("Details", "Details"), ("Summary", "Overview"), ("x", "Overview")],
)
def test_a_former_label_shows_what_it_named_and_the_link_gets_the_present_one(link: str, shown: str) -> None:
    app = AppTest.from_function(page, args=({"Pictures": "Images", "Summary": "Overview"},))
    app.query_params["tab"] = link
    app.run()
    for _ in range(2):
        assert not app.exception, app.exception
        assert app.session_state["tab"] == shown
        assert app.query_params.get("tab", "Overview") == shown
        app.button(key="again").click().run()


def variant(chart_id: str) -> None:
    import streamlit as st

    from unlearn_core.charts import charts
    from unlearn_core.ui.components import chart_card

    st.text(chart_card.choose_variant(charts()[chart_id], key_scope="report").id)


@pytest.mark.parametrize(("chart_id", "link"), VARIANTS)
def test_a_former_label_of_a_variant_chooses_it(chart_id: str, link: str) -> None:
    chart = charts()[chart_id]
    app = AppTest.from_function(variant, args=(chart_id,))
    app.query_params[f"report-{chart_id}-way"] = link
    app.run()
    assert not app.exception, app.exception
    assert app.session_state[f"report-{chart_id}-way"] == chart.former_variants[link]
    assert app.text[0].value == chart.variants[chart.former_variants[link]].id
