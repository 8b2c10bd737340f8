"""Small multiples: one chart of the report, again and again from one end of a knob to the other, on one scale."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.drawing import split_panels, sweep_drawing
from unlearn_core.charts.drawing.sweep_drawing import Swept, said
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import Report
from unlearn_core.domain.sweep import Trial
from unlearn_core.store.data_folder import home
from unlearn_core.store.files import reports
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, navigation
from unlearn_core.ui.shell.markdown import escape

MAIN = ("accuracy", "predictions", "classes", "confidence", "layers", "curve")
"""Charts of a report that are drawn again and again along one knob."""
PANELS = 6
"""How many of them: enough to see it change, few enough to look at."""


def show(swept: Swept, knob: str, *, busy: bool) -> None:
    """One of the report's charts, drawn for some trials from one end of the knob to the other, on one scale."""
    st.subheader("How does the report change along it?", anchor=False)
    if busy:
        st.caption("When the sweep is over or paused, the reports' main charts stand here, one a value of the knob.")
        return
    name = st.segmented_control(
        "Chart",
        MAIN,
        default=MAIN[0],
        required=True,
        wrap=True,
        format_func=lambda one: charts()[one].title,
        key="sweep-multiples",
        label_visibility="collapsed",
    )
    one, found = charts()[name], _reports(_spread(swept, knob))
    able = [(trial, report) for trial, report in found if one.applies(report) is True]
    if not able:
        st.caption(escape(str(one.applies(found[0][1]))) if found else "None of these runs has a report any more.")
        return
    board = st.grid(3, min_column_width=300, gap="medium")
    figures = split_panels.figures(one, [report for _, report in able], chart_card.theme())
    for (trial, report), figure in zip(able, figures, strict=True):
        with board.cell():
            label = f"**{escape(swept.title(knob))} {said(trial.params[knob])}** · run {trial.run}"
            st.page_link(navigation.page("run"), label=label, query_params={"id": str(trial.run)})
            st.plotly_chart(
                figure,
                theme=None,
                key=f"sweep-multiple-{name}-{trial.run}",
                config=chart_card.config(f"run-{trial.run}-{name}"),
                alt=one.alt(report),
            )
            st.caption(one.sentence(report))


def _spread(swept: Swept, knob: str) -> list[Trial]:
    """Up to PANELS finished trials, evenly from one end of the knob to the other."""
    place = sweep_drawing.scale(swept.range(knob)).place
    ordered = sorted(swept.done, key=lambda trial: place(trial.params[knob]))
    if len(ordered) <= PANELS:
        return ordered
    return [ordered[round(at * (len(ordered) - 1) / (PANELS - 1))] for at in range(PANELS)]


def _reports(trials: Sequence[Trial]) -> list[tuple[Trial, Report]]:
    """The reports that can still be read, beside their trials."""
    found = []
    for trial in trials:
        if trial.run is not None:
            try:
                found.append((trial, cache.report(trial.run, reports.parts_of(home(), trial.run))))
            except StoreError:
                continue
    return found
