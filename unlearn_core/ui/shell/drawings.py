"""What is drawn from reports and sweeps: once for all visitors, in one cache whose size is bounded in bytes.

The key of a drawing is all that it depends on: the content of the reports, the chart and the theme. So a report that
changes is drawn anew. Whoever may not see a report never gets here, because a page reads a report before it draws it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing import highlight, split_panels
from unlearn_core.charts.drawing.heatmap_rows import HeatmapRow, aligned_rows, heatmap_rows
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.ui.shell import thumbnails

T = TypeVar("T")

MAX_SIZE = "128MiB"
"""The most that all drawings take in memory; those that were not shown for longest are forgotten first."""


class Drawing(NamedTuple):
    """A figure with its texts."""

    figure: PlainFigure
    summary: str
    alt: str


class ImageCell(NamedTuple):
    """An image as a file, and its caption."""

    file: bytes
    caption: str


class ImageRow(NamedTuple):
    """A `HeatmapRow` whose images are files."""

    title: str
    words: str
    cells: list[ImageCell]
    forgotten: bool


def once(make: Callable[[], T], *key: str) -> T:
    """What `make` returns; it is called once for each key, and every caller gets a copy."""
    return _once(key, make)


@st.cache_data(show_spinner=False, max_size=MAX_SIZE)
def _once(key: tuple[str, ...], _make: Callable[[], T]) -> T:
    return _make()


def chart(one: Chart, reports: Sequence[Report], theme: Theme) -> Drawing:
    """A chart of one report, or of several in one figure."""

    def draw() -> Drawing:
        alt = " ".join(one.alt_text(report) for report in reports)
        return Drawing(PlainFigure.of(one.figure(reports, theme)), one.summary(reports[0]), alt)

    return once(draw, "chart", one.id, theme.name, *_keys(reports))


def sweep_chart(one: SweepChart, sweep_data: SweepData, theme: Theme) -> Drawing:
    """A chart of a sweep; its variants differ in the settings of their figures."""

    def draw() -> Drawing:
        figure = PlainFigure.of(one.figure(sweep_data, theme))
        return Drawing(figure, one.summary(sweep_data), one.alt_text(sweep_data))

    settings = one.figure.keywords if isinstance(one.figure, partial) else {}
    return once(draw, "sweep", one.id, repr(settings), theme.name, sweep_data.forgotten, sweep_data.version)


def chart_per_report(
    one: Chart, reports: Sequence[Report], theme: Theme, selected: Selection | None = None
) -> list[PlainFigure]:
    """A chart as one figure per report, all with the same axes, in which the selection, if any, is highlighted."""

    def draw() -> list[PlainFigure]:
        return [PlainFigure.of(figure) for figure in split_panels.split_figure(one, reports, theme)]

    key = (one.id, theme.name, *_keys(reports))
    figures = partial(once, draw, "panels", *key)
    if selected is None:
        return figures()

    def highlighted() -> list[PlainFigure]:
        return [
            PlainFigure.of(highlight.highlight_selection(figure.to_dict(), one.id, report, selected, theme))
            for figure, report in zip(figures(), reports, strict=True)
        ]

    return once(highlighted, "selection", repr(selected), *key)


def chart_table(one: Chart, reports: Sequence[Report]) -> pa.Table:
    """The values of a chart as `st.dataframe` sends them."""
    return once(lambda: pa.Table.from_pandas(one.table(reports)), "table", one.id, *_keys(reports))


def heatmaps(report: Report, cam: CamResult | None = None) -> list[ImageRow]:
    """The images of a report with their heat maps; `cam` is another result than the report's own."""
    key = () if cam is None else (cam.to_part().checksum(),)
    return once(lambda: _image_rows(heatmap_rows(report, cam)), "heat maps", report.fingerprint, *key)


def explanation(report: Report, cam: CamResult) -> ImageRow:
    """The heat maps of the one image of a Grad-CAM query, with all differences between models."""

    def draw() -> list[ImageRow]:
        return _image_rows(heatmap_rows(report, cam, differences=("before", "gold")))

    (row,) = once(draw, "explanation", report.fingerprint, cam.to_part().checksum())
    return row


def aligned_heatmaps(results: Sequence[tuple[str, Report, CamResult]]) -> list[ImageRow]:
    """The heat maps of one image in several runs; see `aligned_rows`."""
    keys = [part for name, report, cam in results for part in (name, report.fingerprint, cam.to_part().checksum())]
    return once(lambda: _image_rows(aligned_rows(results)), "aligned heat maps", *keys)


def images(make: Callable[[Report], Iterable[tuple[np.ndarray, str]]], name: str, report: Report) -> list[ImageCell]:
    """Images with captions that are drawn from a report; `name` says which."""
    return once(lambda: _files(make(report)), name, report.fingerprint)


def _image_rows(rows: Iterable[HeatmapRow]) -> list[ImageRow]:
    return [ImageRow(row.title, row.words, _files(row.cells), row.forgotten) for row in rows]


def _files(cells: Iterable[tuple[np.ndarray, str]]) -> list[ImageCell]:
    return [ImageCell(thumbnails.pixels_file(pixels), caption) for pixels, caption in cells]


def _keys(reports: Sequence[Report]) -> tuple[str, ...]:
    return tuple(report.fingerprint for report in reports)
