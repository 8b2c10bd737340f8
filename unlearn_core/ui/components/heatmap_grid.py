"""Rows of pictures under their GradCAM maps: the same picture asked of every model, on one scale a row."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.report import gradcam
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell.markdown import escape

TRACKS = 7
"""How many pictures would fill a row: there are five at most, and beside them the words."""

NARROWEST = 60
"""Pixels below which a picture is not worth looking at; then the row breaks. A telephone has room for five of them."""


def overview(report: Report) -> None:
    """Two forgotten pictures and a kept one."""
    rows = _rows(report, "overview")
    forgotten, kept = ([row for row in rows if row.forgotten is side] for side in (True, False))
    lay_out([*forgotten[:2], *kept[:1]])
    if rows:
        st.caption(gradcam.CHART.sentence(report))
        chart_card.foot(gradcam.CHART, [report], place="overview")


def every(report: Report) -> None:
    """All pictures that were measured when the run ended."""
    rows = _rows(report, "pictures")
    lay_out(rows)
    if rows:
        st.caption(gradcam.CHART.sentence(report))
        chart_card.foot(gradcam.CHART, [report], place="pictures")


def answer(report: Report, part: Part) -> None:
    """What a look saw, in the same manner."""
    lay_out(gradcam.rows(report, part))


def lay_out(rows: Sequence[gradcam.Row]) -> None:
    """One grid a row, so that captions stay beneath their pictures; the words go beneath where the screen is narrow."""
    for row in rows:
        count = len(row.cells)
        pictures, words = st.columns([count, TRACKS - count], vertical_alignment="center")
        grid = pictures.grid(count, min_column_width=NARROWEST, gap="xsmall")
        for cell in row.cells:
            with grid.cell():
                caption = escape(cell.caption).replace(" %", "\N{NO-BREAK SPACE}%")
                st.image(cell.image, caption=caption, width="stretch", alt=f"{row.title}: {cell.caption}")
        first, _, rest = row.words.partition(". ")
        words.markdown(f"**{escape(first)}.** {escape(rest)}" if rest else escape(row.words))


def _rows(report: Report, place: str) -> list[gradcam.Row]:
    st.subheader(gradcam.CHART.title, anchor=False)
    why = gradcam.CHART.applies(report)
    if why is not True:
        st.caption(escape(why))
        return []
    if place == "overview":
        st.caption("GradCAM for the picture's own class, one colour scale a row: bright is evidence for that class.")
    return gradcam.rows(report)
