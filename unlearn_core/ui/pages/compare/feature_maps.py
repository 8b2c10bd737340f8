"""The maps of features of all runs, one row each, with one selection for all."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.report.feature_map import CHART
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.features import FeatureMapResult
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.report.on_demand import feature_map
from unlearn_core.ui.shell.markdown import escape


def show(reports: Sequence[Report]) -> None:
    """Show the maps of the runs that have one; those of the same images share their selection."""
    chart_card.heading(CHART)
    named = list(zip(report_labels(reports), reports, strict=True))
    able = [(name, report) for name, report in named if CHART.applies(report) is True]
    for group in _by_images([report for _, report in able]):
        key = f"compare-map-{'-'.join(str(report.run) for report in group)}"
        feature_map.show_maps(group, key=key)
        if len(group) > 1:
            st.caption(
                "Each run has a layout of its own: compare the maps within a row, and images by their selection."
            )
        feature_map.show_selected(group, key=key)
    for name, report in named:
        reason = CHART.applies(report)
        st.caption(f"**{escape(name)}**: {CHART.summary(report) if reason is True else escape(reason)}")
    if able:
        chart_card.footer(CHART, [report for _, report in able], key_scope="compare")


def _by_images(reports: Sequence[Report]) -> list[list[Report]]:
    """The reports in groups that have the same images of the same data set on their maps."""
    groups: dict[tuple[str, bytes], list[Report]] = {}
    for report in reports:
        images = report[FeatureMapResult].images
        groups.setdefault((report.dataset.id, images.tobytes()), []).append(report)
    return list(groups.values())
