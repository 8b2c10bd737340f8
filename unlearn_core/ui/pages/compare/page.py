"""Finished runs side by side, on one scale: their settings where they differ, their figures, every chart of all."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from unlearn_core import methods
from unlearn_core.charts import chart as drawn
from unlearn_core.charts.text import run_comparison
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.compare import run_picker, selection, side_by_side
from unlearn_core.ui.report import repeats, report_downloads
from unlearn_core.ui.shell import cache, navigation
from unlearn_core.ui.shell.markdown import escape

TABS = {
    "Overview": ("accuracy", "predictions"),
    "Pictures": ("places",),
    "Classes": ("classes", "confusion"),
    "Distance": ("distance", "closeness", "zrf", "cka"),
    "Logits": ("confidence", "margin", "certainty"),
    "Privacy": ("membership", "recognised", "relearn"),
    "Weights": ("layers",),
    "How it went": ("curve", "timing"),
}
"""Which charts stand under a tab, beside what the tab has of its own."""


def show() -> None:
    """The runs to choose from, and what the chosen ones have in common and what not."""
    runs = run_picker.choose_runs()
    if len(runs) < 2:
        return
    found = [cache.report(run.id, reports.report_version(open_data_dir(), run.id)) for run in runs]
    _links(runs, found)
    warning = run_comparison.mismatch_warning(found)
    if warning:
        st.warning(escape(warning), icon=":material/compare_arrows:")
    _settings(found)
    _figures(found)
    repeats.show_comparison(found)
    st.fragment(_charts, key="compared-charts")(found)


def _links(runs: Sequence[Run], reports: Sequence[Report]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for run in runs:
            st.page_link(
                navigation.page("run"),
                label=f"Report of run {run.id}",
                icon=":material/open_in_new:",
                query_params={"id": str(run.id)},
            )
        report_downloads.show_several(reports, key_scope="compare")


def _settings(reports: Sequence[Report]) -> None:
    st.subheader("What differs in the settings?", anchor=False)
    rows = run_comparison.differing_settings(
        reports, {report.spec.method: _hyperparameter_titles(report) for report in reports}
    )
    if not rows:
        st.caption("Nothing: these runs are the same in every setting.")
        return
    names = drawn.report_names(reports)
    st.dataframe(
        pd.DataFrame([{"setting": title, **dict(zip(names, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        alt="The settings in which the runs differ, one column a run",
    )
    if len({report.spec.method for report in reports}) > 1:
        st.caption("Knobs that only one of the methods has stand in its report, under Details.")


def _hyperparameter_titles(report: Report) -> dict[str, str]:
    """What the knobs of a run's method are called."""
    return {name: one.title for name, one in methods.method(report.spec.method).params.hyperparameters().items()}


def _figures(reports: Sequence[Report]) -> None:
    st.subheader("What came of it?", anchor=False)
    st.dataframe(
        run_comparison.metrics_table(reports),
        hide_index=True,
        height="content",
        alt="Figures before and after each run and of gold, side by side",
    )
    st.caption(
        "Accuracies before → after, in brackets the 95 % interval (Wilson). Differences are those of after, ± half "
        "of their 95 % interval; nets that were asked the same pictures are compared picture by picture."
    )
    said = [run_comparison.summary(reports[0], other) for other in reports[1:]]
    names = drawn.report_names(reports)
    for name, words in zip(names[1:], said, strict=True):
        st.caption(f"**{escape(name)}** beside **{escape(names[0])}**: {words}")


def _charts(reports: Sequence[Report]) -> None:
    """All charts of all runs, a tab a kind of question, and what is followed through them."""
    st.subheader("Follow one through all runs", anchor=False)
    followed = selection.choose_selection(reports)
    selection.selection_table(reports, followed)
    st.markdown(chart_card.legend())
    for tab in st.tabs(list(TABS), key="tab", bind="query-params"):
        if tab.open:
            with tab:
                name = st.session_state["tab"]
                if name == "Pictures":
                    side_by_side.show_image(reports, followed)
                for one in TABS[name]:
                    side_by_side.show_chart(one, reports, followed)
