"""The choice of runs to compare: from the URL, from a list, or from runs with the same forget request."""

from collections.abc import Collection, Sequence
from contextlib import suppress

import streamlit as st

from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run, RunFilter, RunState, run_name
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.server.urls import IDS_PARAM, MAX_RUNS
from unlearn_core.ui.shell import cache, url_state
from unlearn_core.ui.shell.markdown import escape

_KEY, _SHOWN = "compared", "runs compared"
MOST_LISTED = 200
"""The most runs to choose from, the newest ones; older ones are compared by their links."""

FIRST_COMPARED = ("unsir-ship", "unsir-ship-no-noise")
"""The shipped runs that are compared before the visitor has two: the same method with and without its noise."""


def choose_runs() -> list[Run]:
    """Return the chosen runs; if fewer than two, the page has shown what to do next."""
    _come_back()
    chosen = _choose(_finished())
    st.session_state[_SHOWN] = st.query_params.get(IDS_PARAM, "")
    stored = cache.store().listing.runs(number for number in chosen if number > 0)
    runs = stored | {one.run.id: one.run for one in shipped_runs.shipped_runs()}
    found = [runs[number] for number in chosen if number in runs]
    lost = [run_name(number) for number in chosen if number not in runs]
    if lost:
        st.warning(f"Cannot be read: {', '.join(lost)}. The page of the run says why.", icon=":material/broken_image:")
    if len(found) < 2:
        _suggest_partners(found)
    return found


def _come_back() -> None:
    """Take the runs that this session compared last where the page is opened without any.

    The back button may lead to a URL with this page's name but another's parameters, because of how Streamlit works.
    """
    if IDS_PARAM not in st.query_params and _KEY not in st.session_state:
        url_state.set_param(IDS_PARAM, st.session_state.get(_SHOWN, ""))


def _ids_from_url() -> list[int]:
    """The run numbers in the URL."""
    parts = st.query_params.get(IDS_PARAM, "").split(",")
    return list(dict.fromkeys(number for number in map(url_state.parse_number, parts) if number is not None))


def _finished() -> dict[int, str]:
    """The titles of the newest finished runs, of all in the URL, however old, and of those that ship with the lab."""
    done = RunFilter(states=(RunState.DONE,))
    titles = {
        run.id: run.title for run in cache.store().listing.briefs(kinds=("unlearn",), matching=done, limit=MOST_LISTED)
    }
    for number in _ids_from_url():
        if number not in titles:
            with suppress(NotFoundError):
                run = cache.store().get(number)
                is_usable = isinstance(run.spec, UnlearnSpec) and run.state is RunState.DONE
                titles |= {number: run.title} if is_usable else {}
    return titles | {one.run.id: one.run.title for one in shipped_runs.shipped_runs()}


def _choose(titles: dict[int, str]) -> list[int]:
    """Show the list of runs and return the chosen numbers; the list starts from the URL and is written back to it."""
    _explain_unusable(titles)
    able = sum(number > 0 for number in titles) > 1
    first = [] if able or IDS_PARAM in st.query_params else [shipped_runs.named(name).id for name in FIRST_COMPARED]
    with url_state.bound_list(_KEY, IDS_PARAM, titles, default=first, most=MAX_RUNS):
        # Some may be deleted.
        st.session_state[_KEY] = [number for number in st.session_state[_KEY] if number in titles]
        return st.multiselect(
            "Runs",
            list(titles),
            format_func=lambda number: f"{run_name(number)} · {titles[number]}",
            max_selections=MAX_RUNS,
            placeholder="Two to six finished runs",
            key=_KEY,
            label_visibility="collapsed",
        )


def _explain_unusable(usable: Collection[int]) -> None:
    """Show why runs in the URL cannot be compared, one sentence each."""
    reasons = []
    for number in _ids_from_url():
        if number not in usable:
            try:
                run = cache.store().get(number)
            except NotFoundError:
                reasons.append(f"There is no run {number}.")
            else:
                reasons.append(_why(run))
    over = [number for number in _ids_from_url() if number in usable][MAX_RUNS:]
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


def _suggest_partners(chosen: Sequence[Run]) -> None:
    """Show what to do with fewer than two runs: for a single run, the latest ones with the same forget request."""
    st.info("Choose two to six runs: the page says first which did better, then shows them side by side.")
    if not chosen:
        return
    spec = chosen[0].spec
    stored = cache.store().list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=MOST_LISTED)
    alike = [
        run
        for run in (*stored, *(one.run for one in shipped_runs.shipped_runs()))
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
