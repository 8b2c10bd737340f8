"""The finished runs that ship with the lab, in a table of their own: to open and to compare, never to delete."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run, RunBrief
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.guidance.glossary import definition
from unlearn_core.ui.pages.history.grouping import HistoryGroup
from unlearn_core.ui.pages.history.run_table import COLUMNS, table
from unlearn_core.ui.server import urls
from unlearn_core.ui.shell import navigation

TABLE_KEY = "shipped-runs"
_COLUMNS = COLUMNS | {
    "run": st.column_config.ButtonColumn("Open", width=98, type="tertiary", key="shipped-open", pinned=True),
    "method": st.column_config.TextColumn("Method", width=104, help=definition("method")),
    "classifier": st.column_config.TextColumn("Classifier", width=60, help=definition("classifier")),
}
_LEFT_OUT = ("state", "when", "note")


def show(*, unfolded: bool) -> None:
    """Show the table under its heading; below runs of one's own it is folded, and drawn once it is opened."""
    runs = [one.run for one in shipped_runs.shipped_runs()]
    title = f"{len(runs)} finished runs that ship with the lab"
    with st.expander(title, expanded=unfolded, key="shipped", on_change="rerun") as part:
        if part.open:
            _table(runs)


def _table(runs: Sequence[Run]) -> None:
    """Show the runs, and the action on ticked rows."""
    st.caption(
        "Nobody made these here: they are finished runs to look at and to compare with yours, and they are part of the "
        "lab, so they cannot be deleted."
    )
    ticked = _ticked(runs)
    able = 2 <= len(ticked) <= urls.MAX_RUNS
    if st.button("Compare shipped runs", icon=":material/compare_arrows:", key="shipped-compare", disabled=not able):
        link = urls.comparison_params([run.id for run in ticked])
        st.switch_page(navigation.page("compare"), query_params=link)
    entries = [HistoryGroup(brief, (brief,), None) for brief in map(_brief, runs)]
    st.dataframe(
        table(entries, {run.id: run for run in runs}).drop(columns=list(_LEFT_OUT)),
        hide_index=True,
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        row_height=44,
        height="content",
        placeholder="–",
        lazy=False,
        key=TABLE_KEY,
        alt="Runs that ship with the lab: forget set, method, accuracies of the original, unlearned and retrained "
        "model, distance, seconds, classifier, preset and seed",
    )
    click = st.session_state.get("shipped-open")
    if click is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(runs[click["row"]].id)})


def _ticked(runs: Sequence[Run]) -> list[Run]:
    """The runs whose rows are ticked."""
    picked = st.session_state.get(TABLE_KEY) or {"selection": {"rows": []}}
    return [runs[row] for row in picked["selection"]["rows"]]


def _brief(run: Run) -> RunBrief:
    spec = run.spec
    assert isinstance(spec, UnlearnSpec), "only such runs ship"
    when = run.created.timestamp()
    subject = (spec.method, spec.request.classifier, spec.seed)
    return RunBrief(run.id, run.title, run.state, run.owner, None, None, when, *subject, is_mine=False)
