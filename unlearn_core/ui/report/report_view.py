"""The report of a finished run: the verdicts first, then the charts behind them in tabs."""

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.charts.report import adversarial_examples, replay, unsir_noise
from unlearn_core.charts.text import verdict, warnings
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run
from unlearn_core.ui.components import chart_card, heatmap_grid
from unlearn_core.ui.report import (
    confusion,
    explain,
    lira,
    member_gallery,
    missing_gold,
    neurips_score,
    on_demand,
    relearn,
    repeats,
    report_downloads,
    run_details,
)
from unlearn_core.ui.shell import copy_link, formatting, navigation, url_state, urls
from unlearn_core.ui.shell.markdown import escape

TONES = {
    "good": ("green", ":material/check:"),
    "middling": ("orange", ":material/trending_down:"),
    "bad": ("red", ":material/visibility:"),
    "unknown": ("gray", ":material/help:"),
}
"""Colour and icon of a verdict's badge; the text beside it says the same."""

CHARTS = {
    "Classes": ("classes", "predictions"),
    "Distance": ("distance", "zrf", "closeness", "cka"),
    "Logits": ("confidence", "margin", "certainty"),
    "Privacy": ("membership",),
    "Weights": ("layers",),
    "How it went": ("curve", "timing"),
}
"""The charts of each tab, besides what the tab draws itself."""

OPTIONAL_CHARTS = {"Weights": ("redrawn", "touched", "importance"), "How it went": ("stopped",)}
"""Charts of single methods: last in their tab, and only for those methods."""

TABS = ("Overview", "Images", "Classes", "Distance", "Logits", "Privacy", "Weights", "How it went", "Details")
FORMER_TABS = {"Pictures": "Images"}
"""Today's tab by a tab's label in links of former releases."""


def show(report: Report, run: Run | None) -> None:
    """Show the report of a finished run; `run` is None for the bundled example."""
    _head(report, run)
    _verdicts(report)
    st.markdown(chart_card.legend())
    repeats.show_progress(run)
    if run is not None:
        missing_gold.show(report, run)
    st.fragment(_tabs, key="report")(report, run)


def _head(report: Report, run: Run | None) -> None:
    st.caption(_caption(report, run))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(
            f"Forget *{escape(report.forget_set_title)}* with {escape(report.method)}", anchor=False, width="content"
        )
        with st.container(horizontal=True, width="content", gap="small"):
            if st.button("Change and run again", icon=":material/fork_right:", key="again"):
                url_state.load_spec(report.spec)
                url_state.open_page("method")
            if run is not None and st.button("Compare", icon=":material/compare_arrows:", key="compare"):
                st.switch_page(navigation.page("compare"), query_params=urls.comparison_params([run]))
            repeats.offer_repeats(report, run)
            copy_link.copy_link_button("report")
            report_downloads.show(report)
    if run is not None and run.note:
        st.caption(f":material/edit_note: {escape(run.note)}")


def _caption(report: Report, run: Run | None) -> str:
    if run is None:
        first = "A finished run, bundled with the lab"
    else:
        first = f"Run {run.id} · finished {formatting.format_age(run.finished or run.created)}"
    facts = report.parts["timings"].facts if "timings" in report.parts else {}
    took = f" · {formatting.format_duration(facts['seconds']['total'])} on {facts['device']}" if facts else ""
    return f"{first}{took} · seed {report.spec.seed}"


def _verdicts(report: Report) -> None:
    for column, one in zip(st.columns(3), verdict.verdicts(report), strict=True):
        colour, icon = TONES[one.tone]
        with column.container(border=True, height="stretch"):
            st.markdown(f":{colour}-badge[{icon} {one.title}]")
            st.markdown(one.words)
    raised = warnings.report_warnings(report)
    for flag in raised:
        st.markdown(f":material/flag: **{capitalize(flag.title)}.** {flag.words} :gray[{flag.doubt}]")
    st.caption(verdict.caveats(report) if raised else f"{warnings.no_warning_text(report)} {verdict.caveats(report)}")


def _tabs(report: Report, run: Run | None) -> None:
    url_state.accept_former_labels("tab", FORMER_TABS)
    for tab in st.tabs(TABS, key="tab", bind="query-params"):
        if not tab.open:
            continue
        with tab:
            _show(st.session_state["tab"], report, run)


def _show(name: str, report: Report, run: Run | None) -> None:
    if name == "Overview":
        repeats.show(report)
        if report.dataset.is_points and charts()["regions"].applies(report) is True:
            chart_card.show(charts()["regions"], [report], key_scope="report")
        _charts(report, ("accuracy", "predictions"))
        heatmap_grid.show_overview(report)
        _charts(report, ("distance", "classes", "layers"), switch=False)
    elif name == "Images":
        heatmap_grid.show_all(report)
        _charts(report, ("places",))
        explain.show(report)
    elif name == "Privacy":
        _privacy(report, run)
    elif name == "Details":
        run_details.show(report, run)
    else:
        if name == "How it went":
            chart_card.show(replay.CHART, [report], key_scope="report")
        own = tuple(one for one in OPTIONAL_CHARTS.get(name, ()) if charts()[one].applies(report) is True)
        _charts(report, CHARTS[name] + own)
        if name == "Classes":
            confusion.show(report)
        if name == "How it went":
            _noise(report)
            _adversarials(report)


def _charts(report: Report, names: tuple[str, ...], *, switch: bool = True) -> None:
    """Show charts in rows of two."""
    wanted = [charts()[name] for name in names]
    for pair in zip(wanted[::2], [*wanted[1::2], None], strict=False):
        for column, one in zip(st.columns(2, gap="large"), pair, strict=True):
            if one is not None:
                with column:
                    chart_card.show(one, [report], key_scope="report", switch=switch)


def _privacy(report: Report, run: Run | None) -> None:
    first, *others = CHARTS["Privacy"]
    left, right = st.columns(2, gap="large")
    with left:
        chart_card.show(charts()[first], [report], key_scope="report")
    with right:
        on_demand.show(relearn.RELEARN, report, run)
    _charts(report, tuple(others))
    left, right = st.columns(2, gap="large")
    with left:
        chart_card.show(charts()["recognised"], [report], key_scope="report", neighbour=False)
        on_demand.show(neurips_score.SCORE, report, run)
    with right:
        member_gallery.show(report)
        on_demand.show(lira.LIRA, report, run)


def _noise(report: Report) -> None:
    if unsir_noise.CHART.applies(report) is not True:
        return
    left, right = st.columns(2, gap="large")
    with left:
        chart_card.show(unsir_noise.CHART, [report], key_scope="report")
    with right:
        st.subheader("Noise images", anchor=False)
        grid = st.grid(4, min_column_width=76, gap="small")
        for number, tile in enumerate(unsir_noise.noise_tiles(report), 1):
            with grid.cell():
                st.image(tile, width="stretch", alt=f"Noise image {number} that the method learned")
        st.caption("Some of the learned noise as images, clipped to the display range.")


def _adversarials(report: Report) -> None:
    if adversarial_examples.CHART.applies(report) is not True:
        return
    left, right = st.columns(2, gap="large")
    with left:
        chart_card.show(adversarial_examples.CHART, [report], key_scope="report")
    with right:
        st.subheader("Forget images and their adversarial copies", anchor=False)
        grid = st.grid(3, min_column_width=150, gap="small")
        for pair in adversarial_examples.image_pairs(report):
            with grid.cell():
                words = escape(pair.caption)
                st.image(pair.image, caption=words, width="stretch", alt=f"Forget image and adversarial copy: {words}")
        st.caption("Left: original. Right: adversarial copy. They look alike, but the model predicts another class.")
