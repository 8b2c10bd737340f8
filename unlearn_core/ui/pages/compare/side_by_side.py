"""One chart, or one picture, of every run: figures side by side on one scale, under one another where it is narrow."""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart, report_names
from unlearn_core.charts.drawing import heatmap_rows, highlight
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.report import gradcam
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.components import heatmap_grid as rows_of
from unlearn_core.ui.pages.compare import selection as following
from unlearn_core.ui.report import explain
from unlearn_core.ui.shell import cache, formatting, lifespan
from unlearn_core.ui.shell.markdown import escape

KEY_SCOPE = "compare"
MIN_WIDTH = 300
"""Pixels below which a figure of its own is not worth looking at; then the next one goes beneath."""


def show_chart(name: str, reports: Sequence[Report], selection: Selection) -> None:
    """One chart of all runs, each with its sentence, or with the reason why it has none."""
    one = charts()[name]
    st.subheader(one.title, anchor=False)
    if one.variants and any(one.applies(report) is True for report in reports):
        one = chart_card.choose_variant(one, key_scope=KEY_SCOPE, default="after" if name == "confusion" else None)
    able = [report for report in reports if one.applies(report) is True]
    drawn = iter(cache.chart_figures(one, able, chart_card.current_theme()) if able else ())
    # Four would be too narrow beside one another: two by two.
    grid = st.grid(2 if len(reports) in (2, 4) else len(reports), min_column_width=MIN_WIDTH, gap="medium")
    for report, title in zip(reports, report_names(reports), strict=True):
        with grid.cell():
            st.markdown(f"**{escape(title)}**")
            why = one.applies(report)
            if why is True:
                _figure(one, report, next(drawn), selection, reports)
                st.caption(one.summary(report))
            else:
                st.caption(escape(why))
    if able:
        chart_card.footer(one, able, key_scope=KEY_SCOPE)


def show_image(reports: Sequence[Report], selection: Selection) -> None:
    """Where all runs look in one picture, on one scale, and the gallery to choose it from.

    Where no net gives maps there is the picture alone; what each run answers stands in the table of what is followed.
    """
    st.subheader(gradcam.CHART.title, anchor=False)
    st.caption(gradcam.CHART.question)
    slot = st.container()
    st.subheader("Choose a picture", anchor=False)
    mapped = any(explain.heatmap_layers(report) for report in reports)
    what = "all runs are asked about it" if mapped else "what all runs answer stands in the table above"
    st.caption(f"Sorted and named as {escape(report_names(reports)[0])} has them. Press a name: {what}.")
    clicked = explain.choose_image(reports[0], able=True)
    if clicked is not None:
        following.request_selection(Selection(image=clicked))
        st.rerun()
    with slot:
        if mapped:
            _show_explanations(reports, selection)
        else:
            _alone(reports[0], selection.image)


def _alone(report: Report, number: int | None) -> None:
    st.caption(explain.unmapped(report))
    if number is not None and number < len(report.labels):
        name = f"{report.dataset.classes[report.labels[number]]}, picture {number}"
        st.image(cache.thumbnail(report.dataset.id, number), caption=escape(name), alt=name)


def _figure(
    source_chart: Chart, report: Report, figure: dict[str, Any], selection: Selection, reports: Sequence[Report]
) -> None:
    key = f"{KEY_SCOPE}-{source_chart.id}-{report.run}"
    st.plotly_chart(
        highlight.highlight_selection(figure, source_chart.id, report, selection, chart_card.current_theme()),
        theme=None,
        key=key,
        on_select=lambda: following.on_click(key, reports),
        selection_mode="points",
        config=chart_card.plotly_config(f"run-{report.run}-{source_chart.id}"),
        alt=source_chart.alt_text(report),
    )


def _show_explanations(reports: Sequence[Report], selection: Selection) -> None:
    """The rows of one picture: from the reports where they have it, else each run is asked for it now."""
    number = _default(reports) if selection.image is None else selection.image
    if number is None:
        st.caption("Choose a picture below: these runs kept no maps of their own.")
        return
    known: list[ReportPart | int | None] = []
    for report in reports:
        part = _stored(report, number, selection)
        known.append(_find_or_request(report, number, selection) if part is None else part)
    waits = any(isinstance(one, int) and not cache.store().get(one).state.is_finished for one in known)
    if selection.image is None:
        st.caption(f"Picture {number}, for as long as none is chosen.")
    st.fragment(_rows, run_every=explain.POLL if waits else None, key="compare-looks")(reports, known, waits)


def _default(reports: Sequence[Report]) -> int | None:
    """A picture that most of the reports have maps of, a forgotten one first."""
    cards = [
        [card["picture"] for card in report.parts["cam"].facts["cards"]] if "cam" in report.parts else []
        for report in reports
    ]
    every = [number for own in cards for number in own]
    return max(dict.fromkeys(every), key=every.count, default=None)


def _stored(report: Report, number: int, selection: Selection) -> ReportPart | None:
    """What the report itself knows, where it was asked the same question."""
    part = heatmap_rows.part_for_image(report, number)
    if part is None or _layer(report, selection) is not None:
        return None
    return part if part.facts["cards"][0]["target"] == _target(report, number, selection) else None


def _find_or_request(report: Report, number: int, selection: Selection) -> int | None:
    """The run that answers for this report; None where it has no such picture, or no layer that gives maps."""
    if report.run is None or number >= len(report.labels) or not explain.heatmap_layers(report):
        return None
    layer, target = _layer(report, selection), _target(report, number, selection)
    return explain.request_explanation(
        report, ExplainSpec(run=report.run, picture=number, target=target, layer=layer)
    ).id


def _layer(report: Report, selection: Selection) -> str | None:
    """The layer that is followed where it has maps; None is the usual one."""
    usual = selection.layer in (None, report.classifier.roles.cam)
    return selection.layer if not usual and selection.layer in explain.heatmap_layers(report) else None


def _target(report: Report, number: int, selection: Selection) -> int:
    """The class that is followed, else the picture's own."""
    classes = report.dataset.classes
    return classes.index(selection.label) if selection.label in classes else int(report.labels[number])


def _rows(reports: Sequence[Report], known: Sequence[ReportPart | int | None], waited: bool) -> None:
    runs = [cache.store().get(one) if isinstance(one, int) else None for one in known]
    if waited and not any(run is not None and not run.state.is_finished for run in runs):
        st.rerun()
    if waited:
        lifespan.ensure_worker()
    ready, sayings = [], []
    for report, title, one, run in zip(reports, report_names(reports), known, runs, strict=True):
        part = one if isinstance(one, ReportPart) else _explanation(run)
        if part is not None:
            ready.append((title, report, part))
        else:
            sayings.append(f"**{escape(title)}**: {_why(run)}")
    if ready:
        rows_of.show_rows(heatmap_rows.aligned_rows(ready))
        st.caption("One colour scale for all runs and nets: bright is evidence for the class that is asked for.")
    for saying in sayings:
        st.markdown(saying)


def _explanation(run: Run | None) -> ReportPart | None:
    return (
        artifacts.read_explanation(open_data_dir(), run.id) if run is not None and run.state is RunState.DONE else None
    )


def _why(run: Run | None) -> str:
    """Why a run has no maps of the picture, or not yet."""
    if run is None:
        return "its data have no such picture, or its net no layer that gives maps."
    if run.state is RunState.FAILED:
        return escape(run.error or "the question was not answered.")
    if run.state.is_finished:
        return "the question was not answered. Choose the picture again."
    if time.time() - formatting.with_utc(run.created).timestamp() > explain.PATIENCE:
        return "nobody answers yet: the worker is starting, busy with other looks, or away."
    return ":shimmer[looking…]"
