"""The tabs of a report, a section each; and a section: its charts in rows of two, some with images beside them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import streamlit as st

from unlearn_core.charts import section_charts
from unlearn_core.charts.artifacts import adversarial_examples, unsir_noise
from unlearn_core.charts.artifacts.tried_settings import CHART as TUNING_CHART
from unlearn_core.charts.chart import Chart, Section
from unlearn_core.domain.report import NOT_YET, Report
from unlearn_core.domain.run import Run
from unlearn_core.engine.jobs import on_demand_measurement, on_demand_measurements
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.report import (
    confusion,
    explain,
    heatmap_grid,
    member_gallery,
    repeats,
    report_opening,
    run_details,
)
from unlearn_core.ui.report.on_demand import feature_map, offer
from unlearn_core.ui.shell import drawings, url_state
from unlearn_core.ui.shell.markdown import escape

Cell = Callable[[], None]
"""Draws what stands in one column."""

FORMER_TABS = {"Pictures": "Images", "Distance": "Inside", "Logits": "Inside", "Weights": "Inside"}
"""Today's tab by a tab's label in links of former releases."""

WIDE = ("cam", "confusion", "feature_map", "regions", "replay")
"""Charts that need the whole width."""


@contextmanager
def open_tab(every: Sequence[Section]) -> Iterator[Section]:
    """Draw the tabs, as many as the level shows, and yield the section of the open one; only that one is drawn."""
    url_state.accept_former_labels("tab", FORMER_TABS)
    shown = levels.sections(every)
    levels.offer_sections(every, shown)
    tabs = st.tabs(shown, key="tab", bind="query-params")
    section: Section = next(name for name, tab in zip(shown, tabs, strict=True) if tab.open)
    with tabs[shown.index(section)]:
        yield section


def show(section: Section, report: Report, run: Run | None) -> None:
    """Show all charts of a section, and what else belongs to it."""
    if section == "Overview":
        report_opening.show_words(report)
        repeats.show_failed(report)
    singles: list[Cell] = []
    for chart in section_charts(section):
        if chart.id == "regions" and chart.applies(report) is True:
            report_opening.show_map_words(report)
            continue
        if chart.optional and chart.applies(report) not in (True, NOT_YET):
            continue
        cells = _cells(chart, report, run)
        if len(cells) == 1 and chart.id not in WIDE:
            singles += cells
        else:
            _show_rows(singles)
            singles = []
            _show_rows(cells, columns=len(cells))
    _show_rows(singles)
    if section == "Images":
        st.fragment(explain.show, key="explore")(report)  # A click there draws nothing else again.
    elif section == "Details":
        run_details.show(report, run)


def _tried_settings(report: Report) -> None:
    chart_card.show(TUNING_CHART, [report], key_scope="report")
    if st.button(
        "Use these settings",
        icon=":material/tune:",
        key="use-found",
        help="Opens the page Method with what the run found, to change it or to run it without a search.",
    ):
        url_state.load_spec(report.spec.model_copy(update={"params": report.params, "auto": ()}))
        url_state.open_page("method")


def _show_rows(cells: Sequence[Cell], *, columns: int = 2) -> None:
    for start in range(0, len(cells), columns):
        if columns == 1:
            cells[start]()
            continue
        for column, cell in zip(st.columns(columns, gap="large"), cells[start : start + columns], strict=False):
            with column:
                cell()


def _cells(chart: Chart, report: Report, run: Run | None) -> list[Cell]:
    """Return what shows a chart: one cell, or two where something stands beside it."""
    plain = partial(chart_card.show, chart, [report], key_scope="report")
    match chart.id:
        case "cam":
            return [partial(heatmap_grid.show_all, report)]
        case "confusion":
            return [partial(confusion.show, report)]
        case "seeds":
            return [plain, partial(repeats.show_means, report)]
        case "recognised":
            return [partial(plain, neighbour=False), partial(member_gallery.show, report)]
        case "tuning":
            return [partial(_tried_settings, report)]
        case "noise":
            return [plain, partial(_noise_images, report)]
        case "adversarials":
            return [plain, partial(_adversarial_pairs, report)]
        case name if name in on_demand_measurements():
            draw = feature_map.show if name == "feature_map" else None
            return [partial(offer.show, on_demand_measurement(name), report, run, draw)]
    return [plain]


def _noise_images(report: Report) -> None:
    st.header("Noise images", anchor=False)
    grid = st.grid(4, min_column_width=76, gap="small")
    for tile in drawings.images(_captioned_noise, "noise", report):
        with grid.cell():
            st.image(tile.file, width="stretch", alt=tile.caption)
    st.caption("Some of the learned noise as images, clipped to the display range.")


def _captioned_noise(report: Report) -> list[tuple[np.ndarray, str]]:
    tiles = enumerate(unsir_noise.noise_tiles(report), 1)
    return [(tile, f"Noise image {number} that the method learned") for number, tile in tiles]


def _adversarial_pairs(report: Report) -> None:
    st.header("Forget images and their adversarial copies", anchor=False)
    grid = st.grid(3, min_column_width=220, gap="small")
    for pair in drawings.images(adversarial_examples.image_pairs, "adversarial pairs", report):
        with grid.cell():
            words = escape(pair.caption)
            st.image(pair.file, caption=words, width="stretch", alt=f"Forget image and adversarial copy: {words}")
    gain = adversarial_examples.change_gain(report)
    st.caption(
        "Left: original. Middle: adversarial copy; they look alike, but the model predicts another class. Right: the "
        f"change that leads it there, {gain:.0f} times as strong; grey is no change."
    )
