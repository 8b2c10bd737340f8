"""Rows of Grad-CAM maps: one image per row, the maps of all models over it on one scale."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.report import gradcam
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import drawings
from unlearn_core.ui.shell.drawings import ImageRow
from unlearn_core.ui.shell.markdown import escape

NUM_TRACKS = 7
"""Columns of a row: at most five images, and the text beside them."""

HEIGHT = 2_100
"""About the height in pixels of all images."""

MIN_WIDTH = 60
"""Least width of an image in pixels before the row wraps; five fit on a phone."""


def show_all(report: Report) -> None:
    """Show all images whose maps were computed at the end of the run."""
    rows = _rows(report)
    show_rows(rows)
    if rows:
        st.caption(gradcam.CHART.summary(report))
        chart_card.footer(gradcam.CHART, [report], key_scope="pictures")


def show_rows(rows: Sequence[ImageRow]) -> None:
    """Show rows of heat maps; on a narrow screen the text goes below the images."""
    for row in rows:  # A grid of its own, so that captions stay below their images.
        count = len(row.cells)
        images, text = st.columns([count, NUM_TRACKS - count], vertical_alignment="center")
        grid = images.grid(count, min_column_width=MIN_WIDTH, gap="xsmall")
        for cell in row.cells:
            with grid.cell():
                caption = escape(cell.caption).replace(" %", "\N{NO-BREAK SPACE}%")
                st.image(cell.file, caption=caption, width="stretch", alt=f"{row.title}: {cell.caption}")
        first, _, rest = row.words.partition(". ")
        text.markdown(f"**{escape(first)}.** {escape(rest)}" if rest else escape(row.words))


def _rows(report: Report) -> list[ImageRow]:
    chart_card.heading(gradcam.CHART)
    reason = gradcam.CHART.applies(report)
    if reason is not True:
        chart_card.explain_absence(reason, height=HEIGHT)
        return []
    st.caption("Maps for the true class on one colour scale per row: bright is evidence for that class.")
    return drawings.heatmaps(report)
