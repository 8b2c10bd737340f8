"""Rows of pictures under their GradCAM maps: the same picture asked of every model, on one scale a row."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.report import gradcam
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell.markdown import escape

NUM_TRACKS = 7
"""How many pictures would fill a row: there are five at most, and beside them the words."""

MIN_WIDTH = 60
"""Pixels below which a picture is not worth looking at; then the row breaks. A telephone has room for five of them."""


def show_overview(report: Report) -> None:
    """Two forgotten pictures and a kept one."""
    rows = _rows(report, "overview")
    forgotten, kept = ([row for row in rows if row.forgotten is side] for side in (True, False))
    show_rows([*forgotten[:2], *kept[:1]])
    if rows:
        st.caption(gradcam.CHART.summary(report))
        chart_card.footer(gradcam.CHART, [report], key_scope="overview")


def show_all(report: Report) -> None:
    """All pictures that were measured when the run ended."""
    rows = _rows(report, "pictures")
    show_rows(rows)
    if rows:
        st.caption(gradcam.CHART.summary(report))
        chart_card.footer(gradcam.CHART, [report], key_scope="pictures")


def show_explanation(report: Report, part: ReportPart) -> None:
    """What a look saw, in the same manner."""
    show_rows(gradcam.heatmap_rows(report, part))


def show_rows(rows: Sequence[gradcam.HeatmapRow]) -> None:
    """One grid a row, so that captions stay beneath their pictures; the words go beneath where the screen is narrow."""
    for row in rows:
        count = len(row.cells)
        pictures, words = st.columns([count, NUM_TRACKS - count], vertical_alignment="center")
        grid = pictures.grid(count, min_column_width=MIN_WIDTH, gap="xsmall")
        for cell in row.cells:
            with grid.cell():
                caption = escape(cell.caption).replace(" %", "\N{NO-BREAK SPACE}%")
                st.image(cell.image, caption=caption, width="stretch", alt=f"{row.title}: {cell.caption}")
        first, _, rest = row.words.partition(". ")
        words.markdown(f"**{escape(first)}.** {escape(rest)}" if rest else escape(row.words))


def _rows(report: Report, key_scope: str) -> list[gradcam.HeatmapRow]:
    st.subheader(gradcam.CHART.title, anchor=False)
    st.caption(gradcam.CHART.question)
    why = gradcam.CHART.applies(report)
    if why is not True:
        st.caption(escape(why))
        return []
    if key_scope == "overview":
        st.caption("GradCAM for the picture's own class, one colour scale a row: bright is evidence for that class.")
    return gradcam.heatmap_rows(report)
