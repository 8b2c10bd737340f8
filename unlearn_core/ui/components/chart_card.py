"""A chart on a page: title, question, figure and summary, then caveat, table and downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.sweep_drawing import SweepChart
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG, THEMES, Theme
from unlearn_core.domain.report import NOT_YET, Report
from unlearn_core.ui.guidance import glossary
from unlearn_core.ui.shell import drawings, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

FOOTER_HEIGHT = 90
"""About the height in pixels of what stands below a figure."""

_RUN_COLUMNS = ("run", "method")
"""The columns of a chart's table that distinguish several reports."""
_PERCENT = st.column_config.NumberColumn(format="percent")

OPENED_KEY = "run of a point"
"""The session key of the run whose point was clicked, until the page has opened it."""


def current_theme() -> Theme:
    """Return the theme that the visitor sees the page in."""
    return THEMES[st.context.theme.type or "light"]


def legend() -> str:
    """Return the legend of a page as Markdown: shapes and colours of the three models."""
    colours = current_theme()
    return (
        f':color[○]{{foreground="{colours.before}"}} **before** · '
        f':color[●]{{foreground="{colours.after}"}} **after** · '
        f':color[◆]{{foreground="{colours.gold}"}} **retrained** (trained without the forget set)'
    )


def plotly_config(name: str) -> dict[str, Any]:
    """Return Plotly's settings for one figure; its only button, the camera, saves a PNG of that name."""
    return PLOTLY_CONFIG | {"toImageButtonOptions": {"format": "png", "scale": 2, "filename": name}}


def opens_runs(key: str) -> dict[str, Any]:
    """Return the arguments of the `st.plotly_chart` with this key in which a click on a point opens its run.

    The run is the point's custom data, or the first value of it. The page calls `open_clicked_run` at its beginning.
    """
    return {"on_select": lambda: _on_click(key), "selection_mode": "points"}


def open_clicked_run() -> None:
    """Open the run of the point that was clicked, if one was."""
    opened = st.session_state.pop(OPENED_KEY, None)
    if opened is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(opened)})


def _on_click(key: str) -> None:
    """Remember the run of the clicked point; the page opens it on its next rerun."""
    points = st.session_state[key]["selection"]["points"]
    found = points[0].get("customdata") if points else None
    run = found[0] if isinstance(found, list | tuple) else found
    if run is not None:
        st.session_state[OPENED_KEY] = int(run)


def _share_columns(names: Sequence[str]) -> set[str]:
    """The columns of a chart's table that hold shares, which are shown in per cent."""
    accuracy = {"accuracy", "low", "high", "balanced"} if "accuracy" in names else set()
    return {name for name in names if name in accuracy or name.startswith("share")}


def heading(chart: Chart | SweepChart) -> None:
    """Show the chart's title with its question below."""
    with st.container(gap="xxsmall"):
        st.header(chart.title, anchor=False)
        st.caption(chart.question)


def show(chart: Chart, reports: Sequence[Report], *, key_scope: str, neighbour: bool = True) -> None:
    """Show a chart of one run or several. `key_scope` distinguishes charts that are on a page twice.

    A switch offers the chart's variants if it has any. The footers of two `neighbour` charts are level; a chart that is
    alone in its column, or has others below it, is no neighbour.
    """
    report = reports[0]
    with st.container(height="stretch" if neighbour else "content"):
        heading(chart)
        reason = chart.applies(report)
        if reason is True and chart.variants:
            chart = choose_variant(chart, key_scope=key_scope)
            reason = chart.applies(report)
        if reason is not True:
            explain_absence(reason, height=chart.height + FOOTER_HEIGHT)
            return
        st.caption(draw_figure(chart, reports, key_scope=key_scope))
    footer(chart, reports, key_scope=key_scope)


def explain_absence(reason: str, *, height: int) -> None:
    """Show why there is no chart; one that is still to come keeps its place of that height in pixels."""
    with st.container(height=height if reason == NOT_YET else "content", border=False):
        st.caption(escape(reason))


def choose_variant(chart: Chart, *, key_scope: str, default: str | None = None) -> Chart:
    """Show a switch between the chart's variants and return the chosen one; by default the first."""
    labels, key = list(chart.variants), f"{key_scope}-{chart.id}-way"
    url_state.accept_former_labels(key, chart.former_variants)
    label = st.segmented_control(
        f"{chart.title}: variant",
        labels,
        default=default or labels[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chart.variants[label]


def draw_figure(chart: Chart, reports: Sequence[Report], *, key_scope: str) -> str:
    """Show the figure alone, and return the summary of the first report."""
    drawing = drawings.chart(chart, reports, current_theme())
    st.plotly_chart(
        drawing.figure,
        theme=None,
        key=f"{key_scope}-{chart.id}",
        config=plotly_config(f"run-{reports[0].run or 'example'}-{chart.id}"),
        alt=drawing.alt,
    )
    return drawing.summary


def footer(chart: Chart, reports: Sequence[Report], *, key_scope: str) -> None:
    """Show the line below a chart: its caveat, and its values as a table and a file."""
    name = f"run-{reports[0].run or 'example'}-{chart.id}"
    with st.container(horizontal=True, gap="small", key=f"{key_scope}-{chart.id}-foot"):
        with st.popover("Caveat", icon=":material/info:", type="tertiary"):
            st.markdown(chart.caveat)
        with st.popover("Table", icon=":material/table:", type="tertiary"):
            frame = drawings.chart_table(chart, reports)
            st.dataframe(
                frame,
                width="content",
                hide_index=True,
                column_config=glossary.column_help(frame.column_names)
                | dict.fromkeys(_share_columns(frame.column_names), _PERCENT),
                column_order=[name for name in frame.column_names if len(reports) > 1 or name not in _RUN_COLUMNS],
                placeholder="–",
                alt=f"{chart.title}: the values as a table.",
            )
            st.download_button(
                "Download CSV",
                lambda: chart.table(reports).to_csv(index=False),
                f"{name}.csv",
                "text/csv",
                key=f"{key_scope}-{chart.id}-csv",
                icon=":material/download:",
                on_click="ignore",
            )
            st.caption("To save an image (PNG), point at the chart and press the camera in its corner.")
