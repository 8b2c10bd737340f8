"""Lays out a chart in the house way: question, figure, sentence, then caveat, table and downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG, THEMES, Theme
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell.markdown import escape


def current_theme() -> Theme:
    """The colours of the page as this person sees it."""
    return THEMES[st.context.theme.type or "light"]


def legend() -> str:
    """The one legend of a page: shapes and colours of the three models."""
    colours = current_theme()
    return (
        f':color[○]{{foreground="{colours.before}"}} **before** · '
        f':color[●]{{foreground="{colours.after}"}} **after** · '
        f':color[◆]{{foreground="{colours.gold}"}} **gold** (retrained without them)'
    )


def plotly_config(name: str) -> dict[str, Any]:
    """Plotly's settings for one figure, whose only button, the camera, saves a PNG of that name."""
    return PLOTLY_CONFIG | {"toImageButtonOptions": {"format": "png", "scale": 2, "filename": name}}


def show(
    chart: Chart, reports: Sequence[Report], *, key_scope: str, switch: bool = True, neighbour: bool = True
) -> None:
    """One chart about one run or several. `place` tells apart charts that are on a page twice.

    Where a chart can be drawn in several ways a switch offers them, unless the page wants none. The lines under two
    neighbours are level; a chart that stands alone in its column, or with others, has no `neighbour`.
    """
    report = reports[0]
    with st.container(height="stretch" if neighbour else "content"):
        st.subheader(chart.title, anchor=False)
        st.caption(chart.question)
        answer = chart.applies(report)
        if answer is not True:
            st.caption(escape(answer))
            return
        if switch and chart.variants:
            chart = choose_variant(chart, key_scope=key_scope)
        answer = chart.applies(report)
        if answer is not True:
            st.caption(escape(answer))
            return
        draw_figure(chart, reports, key_scope=key_scope)
        st.caption(chart.summary(report))
    footer(chart, reports, key_scope=key_scope)


def choose_variant(chart: Chart, *, key_scope: str, default: str | None = None) -> Chart:
    """The way to draw it that this person has switched to; it begins with `first`, else with the chart's own first."""
    ways = list(chart.variants)
    way = st.segmented_control(
        f"{chart.title}: how it is drawn",
        ways,
        default=default or ways[0],
        required=True,
        key=f"{key_scope}-{chart.id}-way",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chart.variants[way]


def draw_figure(chart: Chart, reports: Sequence[Report], *, key_scope: str) -> None:
    """The figure alone."""
    report = reports[0]
    name = f"run-{report.run or 'example'}-{chart.id}"
    st.plotly_chart(
        chart.figure(reports, current_theme()),
        theme=None,
        key=f"{key_scope}-{chart.id}",
        config=plotly_config(name),
        alt=" ".join(chart.alt_text(one) for one in reports),
    )


def footer(chart: Chart, reports: Sequence[Report], *, key_scope: str) -> None:
    """The line under a chart: what it does not say, and its figures as a table and a file."""
    name = f"run-{reports[0].run or 'example'}-{chart.id}"
    with st.container(horizontal=True, gap="small", key=f"{key_scope}-{chart.id}-foot"):
        with st.popover("Caveat", icon=":material/info:", type="tertiary"):
            st.markdown(chart.caveat)
        with st.popover("Table", icon=":material/table:", type="tertiary"):
            frame = chart.table(reports)
            st.dataframe(frame, hide_index=True, alt=f"{chart.title}: the figures as a table.")
            st.download_button(
                "Download CSV",
                lambda: chart.table(reports).to_csv(index=False),
                f"{name}.csv",
                "text/csv",
                key=f"{key_scope}-{chart.id}-csv",
                icon=":material/download:",
                on_click="ignore",
            )
            st.caption("As a picture (PNG): point at the chart and press the camera in its corner.")
