"""The filters of the history, which the URL remembers, and the download of the runs that they select."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from unlearn_core.domain.run import RunBrief, RunFilter, RunState
from unlearn_core.export.runs_csv import runs_csv
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.history.run_table import STATES, method_title
from unlearn_core.ui.shell import cache, ownership, url_state

PREFIX = "filter-"
"""The prefix of the filters' query parameters, which are also the keys of their widgets."""
LISTS = {"state": "State", "method": "Method", "classifier": "Classifier", "owner": "Owner"}

MAX_TEXT_LENGTH = 100


def show(runs: Sequence[RunBrief], *, owner: str | None = None) -> RunFilter:
    """Show the filters, each with the values that occur in these runs, and the download of what they select.

    Only runs of the `owner` are selected, if one is given.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        text = _search()
        states, methods, classifiers, owners = (_choose(name, values) for name, values in _values(runs).items())
        chosen = RunFilter(tuple(map(RunState, states)), methods, classifiers, owners or _only(owner), text)
        st.download_button(
            "Download CSV",
            partial(csv_text, cache.store(), chosen),  # It is called outside of the visit.
            "runs.csv",
            "text/csv",
            key="runs-csv",
            icon=":material/download:",
            type="tertiary",
            help="All unlearning runs that match the filters, in one table: a run in each row.",
            on_click="ignore",
        )
    return chosen


def _only(owner: str | None) -> tuple[str, ...]:
    return () if owner is None else (owner,)


def csv_text(store: RunStore, run_filter: RunFilter) -> str:
    """All unlearning runs that match a filter as one table."""
    return runs_csv(store.list_runs(kinds=("unlearn",), matching=run_filter, limit=None))


def clear() -> None:
    """Show all runs again."""
    for name in ("text", *LISTS):
        st.session_state[PREFIX + name] = "" if name == "text" else []


def _values(runs: Sequence[RunBrief]) -> dict[str, Mapping[str, str]]:
    """What can be chosen in each list: ids and their titles."""
    return {
        "state": STATES,
        "method": {run.method: method_title(run.title, run.method) for run in reversed(runs) if run.method},
        "classifier": {name: name for name in sorted({run.classifier for run in runs if run.classifier})},
        "owner": ownership.owner_labels(sorted({run.owner for run in runs})),
    }


def _search() -> str:
    key = f"{PREFIX}text"
    with url_state.bound(key, key, default="", parse=lambda text: text[:MAX_TEXT_LENGTH]):
        return st.text_input(
            "Find",
            key=key,
            placeholder="Words in title or note",
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=MAX_TEXT_LENGTH,
            width=220,
        )


def _choose(name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Choose from a list; it is left out where it offers no choice."""
    key = PREFIX + name
    with url_state.bound_list(key, key, titles):
        st.session_state[key] = [one for one in st.session_state[key] if one in titles]  # The last run may be deleted.
        if len(titles) < 2 and not st.session_state[key]:
            return ()
        return tuple(
            st.multiselect(
                LISTS[name],
                list(titles),
                format_func=lambda one: titles[one],
                key=key,
                placeholder=LISTS[name],
                label_visibility="collapsed",
                width=180,
            )
        )
