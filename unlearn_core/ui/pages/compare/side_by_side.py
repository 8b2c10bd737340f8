"""One chart, or the heat maps of one image, for every run: side by side on one scale, stacked on narrow screens."""

import time
from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.chart import Chart, report_labels
from unlearn_core.charts.drawing import heatmap_rows
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.report import gradcam
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.compare.selection import on_click, request_selection
from unlearn_core.ui.report import explain, heatmap_grid
from unlearn_core.ui.report.explanation import answer, question
from unlearn_core.ui.shell import cache, drawings, formatting, lifespan
from unlearn_core.ui.shell.markdown import escape

KEY_SCOPE = "compare"
MIN_WIDTH = 300
"""Least width of a figure in pixels before the next one wraps below."""


def show_chart(chart: Chart, reports: Sequence[Report], selection: Selection) -> None:
    """Show one chart of all runs, each with its summary or the reason why there is none."""
    chart_card.heading(chart)
    if chart.variants and any(chart.applies(report) is True for report in reports):
        chart = chart_card.choose_variant(
            chart, key_scope=KEY_SCOPE, default="after" if chart.id == "confusion" else None
        )
    able = [report for report in reports if chart.applies(report) is True]
    drawn = iter(drawings.chart_per_report(chart, able, chart_card.current_theme(), selection) if able else ())
    # Four would be too narrow beside one another: two by two.
    grid = st.grid(2 if len(reports) in (2, 4) else len(reports), min_column_width=MIN_WIDTH, gap="medium")
    for report, title in zip(reports, report_labels(reports), strict=True):
        with grid.cell():
            st.markdown(f"**{escape(title)}**")
            reason = chart.applies(report)
            if reason is True:
                _figure(chart, report, next(drawn), reports)
                st.caption(chart.summary(report))
            else:
                st.caption(escape(reason))
    if able:
        chart_card.footer(chart, able, key_scope=KEY_SCOPE)


def show_image(reports: Sequence[Report], selection: Selection) -> None:
    """Show the heat maps of one image for all runs on one scale, and the gallery to choose it from.

    Without any heat maps the image is shown alone; the predictions of all runs are in the table of the selection.
    """
    chart_card.heading(gradcam.CHART)
    slot = st.container()
    noun = reports[0].dataset.item_noun
    st.header(f"Choose {'an image' if noun == 'image' else f'a {noun}'}", anchor=False)
    has_heatmaps = any(question.heatmap_layers(report) for report in reports)
    effect = "its Grad-CAM maps of all runs" if has_heatmaps else "the predictions of all runs in the table above"
    st.caption(
        f"Sorted and labelled by the predictions of {escape(report_labels(reports)[0])}. Click one to see {effect}."
    )
    clicked = explain.choose_image(reports[0], able=True, chosen=selection.image)
    if clicked is not None:
        request_selection(Selection(image=clicked))
        st.rerun()
    with slot:
        if has_heatmaps:
            _show_explanations(reports, selection)
        else:
            _show_alone(reports[0], selection.image)


def _show_alone(report: Report, number: int | None) -> None:
    st.caption(question.no_heatmaps_reason(report))
    if number is not None and number < len(report.labels):
        name = f"{report.dataset.classes[report.labels[number]]}, {report.dataset.item_noun} {number}"
        st.image(cache.thumbnail(report.dataset.id, number), caption=escape(name), alt=name)


def _figure(source_chart: Chart, report: Report, figure: PlainFigure, reports: Sequence[Report]) -> None:
    key = f"{KEY_SCOPE}-{source_chart.id}-{report.run}"
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        on_select=lambda: on_click(key, reports),
        selection_mode="points",
        config=chart_card.plotly_config(f"run-{report.run}-{source_chart.id}"),
        alt=source_chart.alt_text(report),
    )


def _show_explanations(reports: Sequence[Report], selection: Selection) -> None:
    """Show the heat maps of one image: from the reports that have it, else from Grad-CAM queries."""
    number = _default(reports) if selection.image is None else selection.image
    if number is None:
        st.caption("Choose an image below: the reports of these runs contain no Grad-CAM maps.")
        return
    sources: list[CamResult | int | None] = []
    for report in reports:
        cam = _stored(report, number, selection)
        sources.append(_find_or_request(report, number, selection) if cam is None else cam)
    waits = any(isinstance(source, int) and not cache.store().get(source).state.is_finished for source in sources)
    if selection.image is None:
        st.caption(f"Image {number}, until you choose one.")
    st.fragment(_rows, run_every=answer.POLL if waits else None, key="compare-looks")(reports, sources, waits)


def _default(reports: Sequence[Report]) -> int | None:
    """An image that most of the reports have heat maps of, preferably a forget image."""
    every = [shown.image for report in reports if (cam := report.get(CamResult)) for shown in cam.images]
    return max(dict.fromkeys(every), key=every.count, default=None)


def _stored(report: Report, number: int, selection: Selection) -> CamResult | None:
    """The report's own heat maps of the image, if they are for the selected class and layer."""
    cam = heatmap_rows.cam_of_image(report, number)
    if cam is None or _layer(report, selection) is not None:
        return None
    return cam if cam.images[0].target == _target(report, number, selection) else None


def _find_or_request(report: Report, number: int, selection: Selection) -> int | None:
    """The run of the Grad-CAM query for this report; None if it has no such image or no spatial layers."""
    if report.run is None or number >= len(report.labels) or not question.heatmap_layers(report):
        return None
    layer, target = _layer(report, selection), _target(report, number, selection)
    return question.request(report, ExplainSpec(run=report.run, picture=number, target=target, layer=layer)).id


def _layer(report: Report, selection: Selection) -> str | None:
    """The selected layer if it has heat maps; None is the default layer."""
    usual = selection.layer in (None, report.classifier.roles.cam)
    return selection.layer if not usual and selection.layer in question.heatmap_layers(report) else None


def _target(report: Report, number: int, selection: Selection) -> int:
    """The selected class, else the true class of the image."""
    classes = report.dataset.classes
    return classes.index(selection.label) if selection.label in classes else int(report.labels[number])


def _rows(reports: Sequence[Report], sources: Sequence[CamResult | int | None], waited: bool) -> None:
    runs = [cache.store().get(source) if isinstance(source, int) else None for source in sources]
    if waited and not any(run is not None and not run.state.is_finished for run in runs):
        st.rerun()
    if waited:
        lifespan.ensure_worker()
    ready, missing = [], []
    for report, title, source, run in zip(reports, report_labels(reports), sources, runs, strict=True):
        cam = source if isinstance(source, CamResult) else _explanation(run)
        if cam is not None:
            ready.append((title, report, cam))
        else:
            missing.append(f"**{escape(title)}**: {_why(run)}")
    if ready:
        heatmap_grid.show_rows(drawings.aligned_heatmaps(ready))
        st.caption("One colour scale for all runs and models: bright is evidence for the class in question.")
    for text in missing:
        st.markdown(text)


def _explanation(run: Run | None) -> CamResult | None:
    return (
        artifacts.read_explanation(open_data_dir(), run.id) if run is not None and run.state is RunState.DONE else None
    )


def _why(run: Run | None) -> str:
    """Why a run has no heat maps of the image, or not yet."""
    if run is None:
        return "its data set has no such image, or its model has no spatial layers."
    if run.state is RunState.FAILED:
        return escape(run.error or "the query failed.")
    if run.state is RunState.DONE:
        return "the result of the query is damaged. Choose the image again."
    if run.state.is_finished:
        return "the query was cancelled. Choose the image again."
    if time.time() - formatting.with_utc(run.created).timestamp() > answer.PATIENCE:
        return "no response yet. The worker may be starting, busy or stopped."
    return ":shimmer[computing…]"
