"""The first screen of a report: the answer, three numbers, one image as each model sees it, privacy, and the limits."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.charts.report import gradcam, regions
from unlearn_core.charts.text import opening, verdict, warnings
from unlearn_core.charts.text.card import Headline, Verdict
from unlearn_core.charts.text.correction_words import correction_line
from unlearn_core.domain.report import MODELS, NOT_YET, Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.report import heatmap_grid
from unlearn_core.ui.shell import drawings
from unlearn_core.ui.shell.drawings import ImageRow
from unlearn_core.ui.shell.markdown import escape

TONES = {
    "good": ("green", ":material/check:"),
    "middling": ("orange", ":material/trending_down:"),
    "bad": ("red", ":material/visibility:"),
    "unknown": ("gray", ":material/help:"),
}
"""Colour and icon of a verdict's badge; the text beside it says the same."""

_INTERVALS = "Below: what it is compared with, and the difference with its 90 % interval."

IMAGES_HEIGHT = 200
"""Height in pixels that is reserved for the images, so that what is below does not jump."""
MAPS_HEIGHT = 190
"""Height in pixels of the decision regions here."""


_UNSAID = ("copies", "search")
"""Warnings that neither the answer nor the line on privacy says; all are in the Overview."""


class Texts(NamedTuple):
    """Everything that the verdicts say of a report."""

    cards: Sequence[Verdict]
    answer: str
    privacy: str
    features: str
    correction: str
    limits: str
    raised: Sequence[warnings.ReportWarning]
    caveats: str


def texts(report: Report) -> Texts:
    """Return the texts of a report, made once for all visitors."""
    return drawings.once(lambda: _texts(report), "opening", report.fingerprint)


def _texts(report: Report) -> Texts:
    cards, raised = verdict.verdicts(report), warnings.report_warnings(report)
    checked = [] if raised else [warnings.no_warning_text(report)]
    return Texts(
        cards,
        opening.answer(cards),
        opening.privacy_line(report),
        opening.features_line(report),
        correction_line(report),
        opening.limits(report),
        raised,
        " ".join([*checked, verdict.caveats(report)]),
    )


def show(report: Report) -> None:
    """Show the first screen."""
    st.header(escape(texts(report).answer), anchor=False)
    show_numbers(report)
    _images(report)
    show_lines(report)


def show_lines(report: Report) -> None:
    """Show the warnings, what attacks find, and what no report proves, a line each."""
    said = texts(report)
    with st.container(gap="xsmall"):
        for flag in said.raised:
            if flag.kind in _UNSAID:
                st.markdown(f":material/flag: **{escape(capitalize(flag.title))}.** {escape(flag.words)}")
        st.markdown(f":material/lock: **Privacy.** {escape(said.privacy)}")
        if said.features:
            st.markdown(f":material/hub: **Features.** {escape(said.features)}")
        if said.correction:
            st.markdown(f":material/label: **Wrong labels.** {escape(said.correction)}")
        st.markdown(f":material/balance: **What this does not prove.** {escape(said.limits)}")


def show_numbers(report: Report) -> None:
    """Show the three verdicts, each with the number that decides."""
    cards = texts(report).cards
    for column, one in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            show_badge(one)
            if one.headline is None:
                st.markdown(escape(one.words))
                continue
            number = one.headline
            st.metric(escape(capitalize(number.label)), number.value, help=_INTERVALS)
            show_compared(number)


def show_badge(card: Verdict) -> None:
    """Show the title of a verdict in its colour."""
    colour, icon = TONES[card.tone]
    st.markdown(f":{colour}-badge[{icon} {card.title}]")


def show_compared(number: Headline) -> None:
    """Show what a number is compared with, and the difference."""
    st.caption(f"{escape(capitalize(number.compared))}  \nDifference: {number.difference}")


def show_words(report: Report) -> None:
    """Show what the verdicts rest on, each warning with its doubt, and every caveat."""
    said = texts(report)
    st.header("What the verdicts rest on", anchor=False)
    for column, one in zip(st.columns(len(said.cards)), said.cards, strict=True):
        with column:
            st.markdown(f"**{escape(capitalize(one.title))}.** {escape(one.words)}")
    for flag in said.raised:
        st.markdown(
            f":material/flag: **{escape(capitalize(flag.title))}.** {escape(flag.words)} :gray[{escape(flag.doubt)}]"
        )
    st.caption(escape(said.caveats))


def shown_chart(report: Report) -> Chart:
    """Return the chart that the first screen shows: heat maps of one image, or the map of a data set of points."""
    return regions.CHART if regions.CHART.applies(report) is True else gradcam.CHART


def _images(report: Report) -> None:
    """Show one forget image under the heat map of each model; for points, the regions of each model."""
    if shown_chart(report) is regions.CHART:
        _maps(report)
        return
    reason = gradcam.CHART.applies(report)
    if reason is not True:
        with st.container(height=IMAGES_HEIGHT if reason == NOT_YET else "content", border=False):
            st.caption(f"{gradcam.CHART.title}: {escape(reason)}")
        return
    row = first_heatmaps(report)
    words = f"{row.words} Bright areas are evidence for the class; all maps have one scale."
    heatmap_grid.show_rows([row._replace(words=words)])


def first_heatmaps(report: Report) -> ImageRow:
    """Return one forget image, and the heat map of each model over it."""
    row = drawings.heatmaps(report)[0]
    return row._replace(cells=row.cells[: 1 + len(MODELS)])


def _maps(report: Report) -> None:
    drawing = drawings.chart(regions.CHART, [report], chart_card.current_theme())
    figure = drawing.figure.enlarged(1, height=MAPS_HEIGHT)
    config = chart_card.plotly_config(f"run-{report.run or 'example'}-{regions.CHART.id}")
    st.plotly_chart(figure, theme=None, key="opening-regions", config=config, alt=drawing.alt)


def show_map_words(report: Report) -> None:
    """Show what belongs to the map of the first screen: its summary, caveat and table."""
    chart_card.heading(regions.CHART)
    st.caption(f"The map is at the top of the page. {escape(regions.CHART.summary(report))}")
    chart_card.footer(regions.CHART, [report], key_scope="report")
