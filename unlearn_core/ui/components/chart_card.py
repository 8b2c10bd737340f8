"""Lays out a chart in the house way: question, figure, sentence, then caveat, table and downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.theme import CONFIG, THEMES, Theme
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell.markdown import escape


def theme() -> Theme:
    """The colours of the page as this person sees it."""
    return THEMES[st.context.theme.type or "light"]


def legend() -> str:
    """The one legend of a page: shapes and colours of the three models."""
    colours = theme()
    return (
        f':color[○]{{foreground="{colours.before}"}} **before** · '
        f':color[●]{{foreground="{colours.after}"}} **after** · '
        f':color[◆]{{foreground="{colours.gold}"}} **gold** (retrained without them)'
    )


def config(name: str) -> dict[str, Any]:
    """Plotly's settings for one figure, whose only button, the camera, saves a PNG of that name."""
    return CONFIG | {"toImageButtonOptions": {"format": "png", "scale": 2, "filename": name}}


def show(chart: Chart, reports: Sequence[Report], *, place: str, switch: bool = True, neighbour: bool = True) -> None:
    """One chart about one run or several. `place` tells apart charts that are on a page twice.

    Where a chart can be drawn in several ways a switch offers them, unless the page wants none. The lines under two
    neighbours are level; a chart that stands alone in its column, or with others, has no `neighbour`.
    """
    report = reports[0]
    with st.container(height="stretch" if neighbour else "content"):
        st.subheader(chart.title, anchor=False)
        answer = chart.applies(report)
        if answer is not True:
            st.caption(escape(answer))
            return
        if switch and chart.variants:
            chart = chosen(chart, place=place)
        answer = chart.applies(report)
        if answer is not True:
            st.caption(escape(answer))
            return
        draw(chart, reports, place=place)
        st.caption(chart.sentence(report))
    foot(chart, reports, place=place)


def chosen(chart: Chart, *, place: str, first: str | None = None) -> Chart:
    """The way to draw it that this person has switched to; it begins with `first`, else with the chart's own first."""
    ways = list(chart.variants)
    way = st.segmented_control(
        f"{chart.title} How it is drawn",
        ways,
        default=first or ways[0],
        required=True,
        key=f"{place}-{chart.id}-way",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chart.variants[way]


def draw(chart: Chart, reports: Sequence[Report], *, place: str) -> None:
    """The figure alone."""
    report = reports[0]
    name = f"run-{report.run or 'example'}-{chart.id}"
    st.plotly_chart(
        chart.figure(reports, theme()),
        theme=None,
        key=f"{place}-{chart.id}",
        config=config(name),
        alt=" ".join(chart.alt(one) for one in reports),
    )


def foot(chart: Chart, reports: Sequence[Report], *, place: str) -> None:
    """The line under a chart: what it does not say, and its figures as a table and a file."""
    name = f"run-{reports[0].run or 'example'}-{chart.id}"
    with st.container(horizontal=True, gap="small", key=f"{place}-{chart.id}-foot"):
        with st.popover("Caveat", icon=":material/info:", type="tertiary"):
            st.markdown(chart.caveat)
        with st.popover("Table", icon=":material/table:", type="tertiary"):
            frame = chart.frame(reports)
            st.dataframe(frame, hide_index=True, alt=f"{chart.title} The figures as a table.")
            st.download_button(
                "Download CSV",
                lambda: chart.frame(reports).to_csv(index=False),
                f"{name}.csv",
                "text/csv",
                key=f"{place}-{chart.id}-csv",
                icon=":material/download:",
                on_click="ignore",
            )
            st.caption("As a picture (PNG): point at the chart and press the camera in its corner.")
