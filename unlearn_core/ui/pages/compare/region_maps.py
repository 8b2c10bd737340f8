"""The decision regions of all runs side by side, and those of the original and the retrained model."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.report import regions
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import RegionsResult
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import drawings
from unlearn_core.ui.shell.markdown import escape

MIN_WIDTH = 200
"""Least width of a map in pixels before the next one wraps below."""


def show(reports: Sequence[Report]) -> None:
    """Show a map for each run on points; nothing for runs on images."""
    named = zip(report_labels(reports), reports, strict=True)
    able = [(name, report) for name, report in named if regions.CHART.applies(report) is True]
    if not able:
        return
    chart_card.heading(regions.CHART)
    maps = [*_references(able), *((name, report, "after") for name, report in able)]
    grid = st.grid(min(len(maps), 4), min_column_width=MIN_WIDTH, gap="small")
    for name, report, model in maps:
        with grid.cell():
            st.markdown(f"**{escape(name)}**")
            _map(name, report, model)
    for name, report in able:
        st.caption(f"**{escape(name)}**: {regions.CHART.summary(report)}")
    chart_card.footer(regions.CHART, [report for _, report in able], key_scope="compare")


def _references(named: Sequence[tuple[str, Report]]) -> list[tuple[str, Report, str]]:
    """The maps of the original and the retrained models, each model once."""
    maps: list[tuple[str, Report, str]] = []
    for model, title in (("before", "Original model"), ("gold", "Retrained model")):
        known = [(name, report) for name, report in named if model in report[RegionsResult].predictions]
        found = {report.evaluations[model].weights: (name, report) for name, report in known[::-1]}
        maps += [(title if len(found) == 1 else f"{title} of {name}", report, model) for name, report in found.values()]
    return maps


def _map(name: str, report: Report, model: str) -> None:
    theme = chart_card.current_theme()
    figure = drawings.once(
        lambda: PlainFigure.of(regions.map_figure(report, model, theme)), "map", model, theme.name, report.fingerprint
    )
    st.plotly_chart(
        figure,
        theme=None,
        key=f"compare-map-{model}-{report.run}",
        config=chart_card.plotly_config(f"run-{report.run}-map-{model}"),
        alt=f"Map of the plane, {name}: {regions.shares_text(report, model)}.",
    )
