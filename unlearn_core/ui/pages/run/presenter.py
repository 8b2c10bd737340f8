"""The presenter view of a report: one chart a screen in large type, turned by the arrow keys; Esc leaves."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from unlearn_core.charts import section_charts
from unlearn_core.charts.chart import SECTIONS, Chart
from unlearn_core.charts.report import gradcam
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.report import report_opening
from unlearn_core.ui.room import slides
from unlearn_core.ui.shell import drawings, url_state
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.navigation import FROM_PARAM, PRESENT_PARAM

Slide = Callable[[], None]


def leave() -> None:
    """Go back to the report, to the tab from which the presentation began."""
    tab = st.query_params.get(FROM_PARAM)
    if tab in SECTIONS:
        if "tab" not in st.session_state:  # The page was opened afresh: its tabs write only changes into the URL.
            url_state.set_param("tab", tab)
        st.session_state["tab"] = tab
    url_state.set_param(PRESENT_PARAM, "")
    url_state.set_param(FROM_PARAM, "")


def show(report: Report) -> None:
    """Show the slide whose number is in the URL; a number beyond the last slide shows the last."""
    every = _slides(report)
    every[slides.number(len(every)) - 1]()
    words = f"Forget {escape(report.forget_set_title)} with {escape(report.method)}"
    slides.controls(len(every), words, leave=leave)


def _slides(report: Report) -> list[Slide]:
    """The answer with its numbers, one image or map as each model sees it, then every chart that can be drawn."""
    first = report_opening.shown_chart(report)
    charts = [one for section in SECTIONS for one in section_charts(section) if one.applies(report) is True]
    charts.sort(key=lambda one: one is not first)
    return [partial(_answer, report), *(partial(_chart, one, report) for one in charts)]


def _answer(report: Report) -> None:
    said = report_opening.texts(report)
    st.title(escape(said.answer), anchor=False)
    for column, card in zip(st.columns(len(said.cards)), said.cards, strict=True):
        with column.container(border=True, height="stretch"):
            report_opening.show_badge(card)
            if card.headline is not None:
                st.header(f"{card.headline.value} {escape(card.headline.label)}", anchor=False)
                report_opening.show_compared(card.headline)
    st.header(f"Privacy. {escape(said.privacy)}", anchor=False)
    st.header(f"What this does not prove. {escape(said.limits)}", anchor=False)


def _chart(one: Chart, report: Report) -> None:
    st.title(one.title, anchor=False)
    if one is gradcam.CHART:
        row = report_opening.first_heatmaps(report)
        for column, cell in zip(st.columns(len(row.cells)), row.cells, strict=True):
            column.image(cell.file, caption=escape(cell.caption), width="stretch", alt=f"{row.title}: {cell.caption}")
        summary = f"{row.words} Bright areas are evidence for the class."
    else:
        drawing = drawings.chart(one, [report], chart_card.current_theme())
        st.plotly_chart(slides.enlarged(drawing.figure), theme=None, key=f"present-{one.id}", alt=drawing.alt)
        summary = drawing.summary
    st.header(escape(_first_sentence(summary)), anchor=False)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s+(?=[A-Z])", text, maxsplit=1)[0]
