"""Small multiples: one chart of the report for several values of a hyperparameter, on one scale."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.drawing import sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import SweepData, format_value
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import Report
from unlearn_core.domain.sweeps.sweep import Trial
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, drawings, navigation
from unlearn_core.ui.shell.markdown import escape

CHARTS = ("accuracy", "predictions", "classes", "confidence", "layers", "curve")
"""The charts of a report that are offered as small multiples."""
MAX_PANELS = 6
"""The largest number of panels."""


def show(sweep_data: SweepData, hyperparameter: str, *, busy: bool) -> None:
    """One of the report's charts for some trials over the range of the hyperparameter, on one scale."""
    st.header("The report along this hyperparameter", anchor=False)
    if busy:
        st.caption("When the sweep is finished or paused, this shows a chart of the report for several values.")
        return
    name = st.segmented_control(
        "Chart",
        CHARTS,
        default=CHARTS[0],
        required=True,
        wrap=True,
        format_func=lambda one: charts()[one].title,
        key="sweep-multiples",
        label_visibility="collapsed",
    )
    one, found = charts()[name], _reports(_spread(sweep_data, hyperparameter))
    able = [(trial, report) for trial, report in found if one.applies(report) is True]
    if not able:
        st.caption(escape(str(one.applies(found[0][1]))) if found else "The reports of these runs no longer exist.")
        return
    board = st.grid(3, min_column_width=300, gap="medium")
    shown = [report for _, report in able]
    figures = drawings.chart_per_report(one, shown, chart_card.current_theme())
    for (trial, report), figure in zip(able, figures, strict=True):
        with board.cell():
            title = escape(sweep_data.hyperparameter_title(hyperparameter))
            label = f"**{title} {format_value(trial.params[hyperparameter])}** · run {trial.run}"
            st.page_link(navigation.page("run"), label=label, query_params={"id": str(trial.run)})
            st.plotly_chart(
                figure,
                theme=None,
                key=f"sweep-multiple-{name}-{trial.run}",
                config=chart_card.plotly_config(f"run-{trial.run}-{name}"),
                alt=one.alt_text(report),
            )
            st.caption(one.summary(report))


def _spread(sweep_data: SweepData, hyperparameter: str) -> list[Trial]:
    """Up to MAX_PANELS finished trials, evenly spread over the range of the hyperparameter."""
    place = sweep_drawing.axis_scale(sweep_data.search_range(hyperparameter)).position
    ordered = sorted(sweep_data.done, key=lambda trial: place(trial.params[hyperparameter]))
    if len(ordered) <= MAX_PANELS:
        return ordered
    return [ordered[round(at * (len(ordered) - 1) / (MAX_PANELS - 1))] for at in range(MAX_PANELS)]


def _reports(trials: Sequence[Trial]) -> list[tuple[Trial, Report]]:
    """The trials whose reports still exist, with their reports."""
    found = []
    for trial in trials:
        if trial.run is not None:
            try:
                found.append((trial, cache.report(trial.run, reports.report_version(open_data_dir(), trial.run))))
            except StoreError:
                continue
    return found
