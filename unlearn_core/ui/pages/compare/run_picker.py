"""The choice of runs to compare: from the URL, from a list, or from runs with the same forget request."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run, RunState, run_name
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.server.urls import IDS_PARAM, MAX_RUNS
from unlearn_core.ui.shell import cache, url_state
from unlearn_core.ui.shell.markdown import escape

_KEY = "compared"

FIRST_COMPARED = ("unsir-ship", "unsir-ship-no-noise")
"""The shipped runs that are compared before the visitor has two: the same method with and without its noise."""


def choose_runs() -> list[Run]:
    """Return the chosen runs; if fewer than two, the page has shown what to do next."""
    runs = _finished()
    found = [runs[number] for number in _choose(runs)]
    if len(found) < 2:
        _suggest_partners(found, runs)
    return found


def _ids_from_url() -> list[int]:
    """The run numbers in the URL."""
    parts = st.query_params.get(IDS_PARAM, "").split(",")
    return list(dict.fromkeys(number for number in map(url_state.parse_number, parts) if number is not None))


def _finished() -> dict[int, Run]:
    """The newest finished runs, all finished runs in the URL, however old, and those that ship with the lab."""
    runs = {run.id: run for run in cache.store().list_runs(kinds=("unlearn",), states=(RunState.DONE,))}
    for number in _ids_from_url():
        if number not in runs:
            with suppress(NotFoundError):
                run = cache.store().get(number)
                runs |= {number: run} if isinstance(run.spec, UnlearnSpec) and run.state is RunState.DONE else {}
    return runs | {one.run.id: one.run for one in shipped_runs.shipped_runs()}


def _choose(runs: dict[int, Run]) -> list[int]:
    """Show the list of runs and return the chosen numbers; the list starts from the URL and is written back to it."""
    _explain_unusable(runs)
    able = sum(number > 0 for number in runs) > 1
    first = [] if able or IDS_PARAM in st.query_params else [shipped_runs.named(name).id for name in FIRST_COMPARED]
    with url_state.bound_list(_KEY, IDS_PARAM, runs, default=first, most=MAX_RUNS):
        st.session_state[_KEY] = [number for number in st.session_state[_KEY] if number in runs]  # Some may be deleted.
        return st.multiselect(
            "Runs",
            list(runs),
            format_func=lambda number: f"{run_name(number)} · {runs[number].title}",
            max_selections=MAX_RUNS,
            placeholder="Two to six finished runs",
            key=_KEY,
            label_visibility="collapsed",
        )


def _explain_unusable(runs: dict[int, Run]) -> None:
    """Show why runs in the URL cannot be compared, one sentence each."""
    reasons = []
    for number in _ids_from_url():
        if number not in runs:
            try:
                run = cache.store().get(number)
            except NotFoundError:
                reasons.append(f"There is no run {number}.")
            else:
                reasons.append(_why(run))
    over = [number for number in _ids_from_url() if number in runs][MAX_RUNS:]
    if over:
        left = ", ".join(map(str, over))
        reasons.append(f"At most {MAX_RUNS} runs fit side by side; left out: {left}.")
    if reasons:
        st.warning(escape(" ".join(reasons)), icon=":material/search_off:")


def _why(run: Run) -> str:
    """Why an existing run cannot be compared."""
    if not isinstance(run.spec, UnlearnSpec):
        return f"Run {run.id} ({run.title}) is not an unlearning run, so there is nothing to compare."
    if run.state is RunState.FAILED:
        return f"Run {run.id} failed and has no report. {run.error or ''}".strip()
    if run.state is RunState.CANCELLED:
        return f"Run {run.id} was cancelled, so it has no report."
    return f"Run {run.id} is not finished yet. You can compare it afterwards."


def _suggest_partners(chosen: Sequence[Run], runs: dict[int, Run]) -> None:
    """Show what to do with fewer than two runs: for a single run, the latest ones with the same forget request."""
    st.info("Choose two to six runs: the page says first which did better, then shows them side by side.")
    if not chosen:
        return
    spec = chosen[0].spec
    alike = [
        run
        for run in runs.values()
        if isinstance(run.spec, UnlearnSpec)
        and isinstance(spec, UnlearnSpec)
        and run.spec.request == spec.request
        and run.id != chosen[0].id
    ]
    if not alike:
        st.caption("No other run has the same forget request. Run it with another method, or choose any run above.")
        return
    st.caption("Runs with the same forget request:")
    for run in alike[:MAX_RUNS]:
        label = escape(f"{run_name(run.id)} · {run.title}")
        st.button(label, icon=":material/add:", type="tertiary", key=f"add-{run.id}", on_click=_add, args=(run.id,))


def _add(number: int) -> None:
    st.session_state[_KEY] = [*st.session_state[_KEY], number]
