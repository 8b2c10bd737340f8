"""Choosing the runs to compare: from the address, from a list, or from those that forgot the same."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run, RunState
from unlearn_core.ui.shell import cache, navigation, url_state
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.urls import IDS_PARAM, MAX_RUNS

_KEY = "compared"


def choose_runs() -> list[Run]:
    """The runs that somebody has chosen; fewer than two where the page has said what to do next."""
    runs = _finished()
    if len(runs) < 2:
        _explain_unusable(runs)
        _too_few(len(runs))
        return []
    found = [runs[number] for number in _choose(runs)]
    if len(found) < 2:
        _suggest_partners(found, runs)
    return found


def _ids_from_url() -> list[int]:
    """The numbers in the address."""
    words = st.query_params.get(IDS_PARAM, "").split(",")
    return list(dict.fromkeys(int(one) for one in words if one.isascii() and one.isdecimal() and len(one) < 10))


def _finished() -> dict[int, Run]:
    """The newest finished runs, and those that the address names, however old they are."""
    runs = {run.id: run for run in cache.store().list_runs(kinds=("unlearn",), states=(RunState.DONE,))}
    for number in _ids_from_url():
        if number not in runs:
            with suppress(NotFoundError):
                run = cache.store().get(number)
                runs |= {number: run} if isinstance(run.spec, UnlearnSpec) and run.state is RunState.DONE else {}
    return runs


def _choose(runs: dict[int, Run]) -> list[int]:
    """The runs' numbers, from the address at first and from the list afterwards; the address follows."""
    _explain_unusable(runs)
    url_state.bind_from_url(
        _KEY, IDS_PARAM, lambda _: [number for number in _ids_from_url() if number in runs][:MAX_RUNS]
    )
    st.session_state[_KEY] = [number for number in st.session_state[_KEY] if number in runs]  # Some may be deleted.
    picked = st.multiselect(
        "Runs",
        list(runs),
        format_func=lambda number: f"Run {number} · {runs[number].title}",
        max_selections=MAX_RUNS,
        placeholder="Two to four finished runs",
        key=_KEY,
        label_visibility="collapsed",
    )
    url_state.bind_to_url(_KEY, IDS_PARAM, ",".join(map(str, picked)))
    return picked


def _explain_unusable(runs: dict[int, Run]) -> None:
    """Says of each run that the address names and that cannot be shown why not."""
    said = []
    for number in _ids_from_url():
        if number not in runs:
            try:
                run = cache.store().get(number)
            except NotFoundError:
                said.append(f"There is no run {number}.")
            else:
                said.append(_why(run))
    over = [number for number in _ids_from_url() if number in runs][MAX_RUNS:]
    if over:
        left = ", ".join(map(str, over))
        said.append(f"No more than {MAX_RUNS} runs fit beside one another; left out: {left}.")
    if said:
        st.warning(escape(" ".join(said)), icon=":material/search_off:")


def _why(run: Run) -> str:
    """Why a run that exists has nothing to compare."""
    if not isinstance(run.spec, UnlearnSpec):
        return f"Run {run.id} ({run.title}) forgot nothing, so there is nothing to compare."
    if run.state is RunState.FAILED:
        return f"Run {run.id} failed and has no report. {run.error or ''}".strip()
    if run.state is RunState.CANCELLED:
        return f"Run {run.id} was cancelled, so it has no report."
    return f"Run {run.id} is not over yet: it can be compared when it is."


def _suggest_partners(chosen: Sequence[Run], runs: dict[int, Run]) -> None:
    """What to do with fewer than two: for a lone run, the latest ones that were asked to forget the same."""
    st.info("Choose two to four runs: they are laid side by side, each in a column of its own.")
    if not chosen:
        return
    asked = chosen[0].spec
    alike = [
        run
        for run in runs.values()
        if isinstance(run.spec, UnlearnSpec)
        and isinstance(asked, UnlearnSpec)
        and run.spec.request == asked.request
        and run.id != chosen[0].id
    ]
    if not alike:
        st.caption("No other run has forgotten the same. Run it again by another method, or choose any run above.")
        return
    st.caption("These forgot the same:")
    for run in alike[:MAX_RUNS]:
        label = escape(f"Run {run.id} · {run.title}")
        st.button(label, icon=":material/add:", type="tertiary", key=f"add-{run.id}", on_click=_add, args=(run.id,))


def _add(number: int) -> None:
    st.session_state[_KEY] = [*st.session_state[_KEY], number]


def _too_few(count: int) -> None:
    st.markdown(
        "There is nothing to compare yet: it takes two finished runs, and there "
        + ("is one." if count else "are none.")
        + " Run the same request again by another method, or with other settings."
    )
    st.page_link(navigation.page("method" if count else "forget"), label="To the lab", icon=":material/tune:")
