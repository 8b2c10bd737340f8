"""What was measured of the chosen method when the lab was made, as a chart under its card."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.measured import equal_forgetting, l2ul_courses, noise_levels, noise_rates
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import drawings


class MeasuredChart(NamedTuple):
    """A chart of a measured table: how it is drawn, and its texts."""

    figure: Callable[[Theme], PlainFigure]
    summary: str
    alt: str
    note: str


class MeasuredTable(NamedTuple):
    """A measured table of a method: its file, the question that its chart answers, and the chart."""

    path: Path
    question: str
    chart: Callable[[], MeasuredChart]


def _noise() -> MeasuredChart:
    levels = noise_levels.read_levels()
    return MeasuredChart(
        lambda theme: PlainFigure.of(noise_rates.figure(levels, theme)),
        noise_rates.summary(levels),
        f"{noise_rates.TITLE}. {noise_rates.alt_text(levels)}",
        noise_rates.NOTE,
    )


def _frontier() -> MeasuredChart:
    courses = l2ul_courses.read_courses()
    return MeasuredChart(
        lambda theme: PlainFigure.of(equal_forgetting.figure(courses, theme)),
        equal_forgetting.summary(courses),
        f"{equal_forgetting.TITLE}. {equal_forgetting.alt_text(courses)}",
        equal_forgetting.NOTE,
    )


_TABLES = {
    "l2ul": MeasuredTable(l2ul_courses.TABLE, equal_forgetting.QUESTION, _frontier),
    "unsir": MeasuredTable(noise_levels.TABLE, noise_rates.QUESTION, _noise),
}
"""The methods of which there is such a chart."""


def show(method: str) -> None:
    """Show the chart in a fold, which is drawn once it is unfolded; nothing for methods that have none."""
    table = _TABLES.get(method)
    if table is None or not table.path.exists():
        return
    title = f"Measured: {table.question}"
    with st.expander(title, icon=":material/show_chart:", key=f"measured-{method}", on_change="rerun") as part:
        if part.open:
            _draw(method, table.chart())


def _draw(method: str, chart: MeasuredChart) -> None:
    theme = chart_card.current_theme()
    figure = drawings.once(lambda: chart.figure(theme), "measured", method, theme.name)
    st.caption(chart.summary)
    st.plotly_chart(
        figure,
        theme=None,
        key=f"measured-chart-{method}",
        config=chart_card.plotly_config(f"{method}-measured"),
        alt=chart.alt,
    )
    st.caption(chart.note)
