"""The page Compare: which run did better, what differs in their settings, and all charts on common scales."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from unlearn_core import methods
from unlearn_core.charts import chart as drawn
from unlearn_core.charts import section_charts
from unlearn_core.charts.chart import SECTIONS, Chart, Section
from unlearn_core.charts.text import run_comparison
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, run_name
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.pages.compare import feature_maps, ranking, region_maps, run_picker, selection, side_by_side
from unlearn_core.ui.report import repeats, report_downloads, report_section
from unlearn_core.ui.shell import cache, drawings, navigation
from unlearn_core.ui.shell.markdown import escape


def compared_charts() -> dict[Section, list[Chart]]:
    """The charts of each tab."""
    found: dict[Section, list[Chart]] = {}
    for section in SECTIONS:
        own = [chart for chart in section_charts(section) if chart.is_compared]
        if own:
            found[section] = own
    return found


def show() -> None:
    """Show the choice of runs, and the comparison of the chosen ones."""
    runs = run_picker.choose_runs()
    if len(runs) < 2:
        return
    runs, found = _readable(runs)
    if len(runs) < 2:
        return
    compared = ranking.drawn_ranking(found)
    ranking.show_cards(compared.text)
    warning = run_comparison.mismatch_warning(found)
    if warning:
        st.warning(escape(warning), icon=":material/compare_arrows:")
    _links(runs, found)
    _settings(found)
    ranking.show_details(compared)
    _figures(found)
    repeats.show_comparison(found)
    st.fragment(_charts, key="compared-charts")(found)


def _readable(runs: Sequence[Run]) -> tuple[list[Run], list[Report]]:
    """The runs whose reports can be read, and these reports; say what is wrong with the others."""
    found: list[tuple[Run, Report]] = []
    for run in runs:
        try:
            found.append((run, cache.report(run.id, reports.report_version(open_data_dir(), run.id))))
        except StoreError as problem:
            st.warning(escape(f"{run_name(run.id)} is left out. {problem}"), icon=":material/broken_image:")
    return [run for run, _ in found], [report for _, report in found]


def _links(runs: Sequence[Run], reports: Sequence[Report]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for run in runs:
            st.page_link(
                navigation.page("run"),
                label=f"Report of {run_name(run.id).lower()}",
                icon=":material/open_in_new:",
                query_params={"id": str(run.id)},
            )
        report_downloads.show_several(reports, key_scope="compare")


def _settings(reports: Sequence[Report]) -> None:
    st.header("Settings that differ", anchor=False)
    titles = methods.hyperparameter_titles(report.spec.method for report in reports)
    rows = run_comparison.differing_settings(reports, titles)
    if not rows:
        st.caption("None: these runs have the same settings.")
        return
    shared = [(title, values) for title, values in rows if run_comparison.MISSING not in values]
    own = [row for row in rows if row not in shared]
    if shared:
        _settings_table(shared, reports, key="settings")
    if own:
        title = f"Hyperparameters that not all methods have ({len(own)})"
        with st.expander(title, expanded=levels.is_expert()):
            _settings_table(own, reports, key="own-settings")


def _settings_table(rows: Sequence[tuple[str, list[str]]], reports: Sequence[Report], *, key: str) -> None:
    names = drawn.report_labels(reports)
    st.dataframe(
        pd.DataFrame([{"setting": title, **dict(zip(names, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        key=key,
        alt="The settings in which the runs differ, one column per run",
    )


def _figures(reports: Sequence[Report]) -> None:
    noun = reports[0].dataset.item_noun
    table, differences = drawings.once(lambda: _compared(reports), "figures", *(one.fingerprint for one in reports))
    st.header("Results", anchor=False)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        key="metrics",
        alt="Metrics of the original, unlearned and retrained models of each run, side by side",
    )
    st.caption(
        "Accuracies before → after, in brackets the 95 % interval (Wilson). Differences compare the unlearned models "
        f"{noun} by {noun}, with their 90 % interval; where the {noun}s differ, as two independent samples."
    )
    names = drawn.report_labels(reports)
    for name, text in zip(names[1:], differences, strict=True):
        st.caption(f"**{escape(name)}** compared with **{escape(names[0])}**: {text}")


def _compared(reports: Sequence[Report]) -> tuple[pd.DataFrame, list[str]]:
    """The metrics of all runs, and how each but the first differs from it."""
    first, *others = reports
    return run_comparison.metrics_table(reports), [run_comparison.summary(first, other) for other in others]


def _charts(reports: Sequence[Report]) -> None:
    """Show all charts of all runs in tabs, and the class, layer or image that is highlighted in them."""
    st.header("Highlight in all charts", anchor=False)
    selected = selection.choose_selection(reports)
    selection.selection_table(reports, selected)
    st.markdown(chart_card.legend())
    tabs = compared_charts()
    with report_section.open_tab(list(tabs)) as name:
        if name == "Overview":
            region_maps.show(reports)
        if name == "Inside":
            feature_maps.show(reports)
        if name == "Images":
            side_by_side.show_image(reports, selected)
        for chart in tabs[name]:
            side_by_side.show_chart(chart, reports, selected)
