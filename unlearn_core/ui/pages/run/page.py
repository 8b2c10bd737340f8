"""The run that an address names, and the states in which there is no report to show: each with a next step."""

from datetime import UTC, datetime

import streamlit as st

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.errors import StoreError, UnknownName
from unlearn_core.domain.jobs import AddSpec, GoldSpec, ImportSpec, Look, MeasureSpec, RunSpec, TrainSpec
from unlearn_core.domain.report import Report, forgotten
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.sweep import sweep_of
from unlearn_core.store.data_folder import home
from unlearn_core.store.files import reports
from unlearn_core.ui.components import checkpoint_form, gold_actions, run_bar, training_form
from unlearn_core.ui.report import report_view
from unlearn_core.ui.shell import cache, formatting, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

EXAMPLE = "example"
"""The address of the finished run that ships with the lab."""

_SHOWN = "run shown"

_GAVE = (
    "This gold is trained. Every run with the same request has its third column now, or gets it in a moment:",
    "This second gold is trained. Every run with the same request says now how far two golds are apart, or does so in "
    "a moment:",
    "This gold is trained. Reports compare the first two of a request; further ones are kept beside them. "
    "These runs have the same request:",
)
"""What came of a gold's training, by its number."""


def find() -> Run | Report | None:
    """What the address asks for: a run, the shipped report, or None.

    Without an id it is the run that this session looked at last, else the latest of this person. The back button needs
    that: Streamlit leaves an address behind in which the page is this one and the parameters are the next one's.
    """
    if "id" not in st.query_params:
        _name(st.session_state.get(_SHOWN) or _latest())
    wanted = st.query_params.get("id")
    found = None if wanted is None else cache.example() if wanted == EXAMPLE else _run(wanted)
    if found is not None:
        st.session_state[_SHOWN] = wanted
    return found


def _latest() -> str | None:
    runs = cache.store().list(kinds=("unlearn",), owner="local", limit=1)
    return str(runs[0].id) if runs else None


def _name(wanted: str | None) -> None:
    """Puts a run into the address, in place of what a page of the lab has left there."""
    for name in set(st.query_params) - {"tab"}:
        del st.query_params[name]
    if wanted is not None:
        st.query_params["id"] = wanted


def _run(wanted: str) -> Run | None:
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 10):
        return None
    try:
        found = cache.store().get(int(wanted))
        if isinstance(found.spec, ImportSpec):  # What it makes is on the page of pictures, and so is how far it is.
            st.switch_page(navigation.page("pictures"), query_params={})
        return cache.store().get(found.spec.run) if isinstance(found.spec, Look | MeasureSpec) else found
    except UnknownName:
        return None


def title(run: Run) -> str:
    """What a run does, as a heading."""
    spec = run.spec
    if isinstance(spec, RunSpec):
        what = forgotten(spec, datasets.card(spec.request.dataset))
        return f"Forget *{escape(what)}* with {escape(methods.method(spec.method).title)}"
    if isinstance(spec, GoldSpec):
        card = datasets.card(spec.request.dataset)
        what = forgotten(RunSpec(request=spec.request, method="", params={}), card)
        return f"Gold without *{escape(what)}*" + (f", number {spec.seed + 1}" if spec.seed else "")
    return escape(run.title)


def nothing() -> None:
    """The page without a run: there is none yet, or not the one that was asked for."""
    wanted = st.query_params.get("id")
    if wanted is None:
        st.title("Nothing has been run yet", anchor=False)
        st.markdown("Choose what a classifier should forget, and watch it happen here.")
    else:
        st.title("There is no such run", anchor=False)
        st.markdown(
            f"This lab keeps no run with the id “{escape(wanted[:40])}”. It may have been deleted, or the link was "
            "made in another data folder."
        )
    with st.container(horizontal=True):
        if st.button("Choose what to forget", type="primary", icon=":material/ink_eraser:", key="to-forget"):
            url_state.go("forget")
        if st.button("See a finished run", icon=":material/visibility:", key="to-example"):
            st.switch_page(navigation.page("run"), query_params={"id": EXAMPLE})
        if st.button("All runs", icon=":material/history:", key="to-history"):
            st.switch_page(navigation.page("history"), query_params={})


def done(run: Run) -> None:
    """The report of a run that came through; what a training made where it was no unlearning."""
    if isinstance(run.spec, GoldSpec):
        _gold_done(run, run.spec)
        return
    if isinstance(run.spec, TrainSpec | AddSpec):
        (training_form if isinstance(run.spec, TrainSpec) else checkpoint_form).done(run, _caption(run))
        return
    try:
        found = cache.report(run.id, reports.parts_of(home(), run.id))
    except StoreError as problem:
        _ended(run, "report lost", str(problem), colour="red", icon=":material/broken_image:")
        return
    _whose(run)
    report_view.show(found, run)


def ended(run: Run) -> None:
    """A run that failed or was cancelled: why, and what can be done now."""
    if run.state is RunState.FAILED:
        reason = run.error or "The worker gave no reason; its log, worker.log in the data folder, may know more."
        _ended(run, "failed", reason, colour="red", icon=":material/error:")
    else:
        why = f" {run.note}" if sweep_of(run.group) is not None and run.note else ""
        _ended(run, "cancelled", _how_far(run) + why, colour="gray", icon=":material/stop:")


def _ended(run: Run, state: str, reason: str, *, colour: str, icon: str) -> None:
    _whose(run)
    st.caption(_caption(run))
    with st.container(horizontal=True):  # As above a live run and a report, so that the heading stays where it was.
        st.title(title(run), anchor=False, width="content")
    with st.container(border=True):
        st.markdown(f":{colour}-badge[{icon} {state}]")
        st.markdown(escape(reason))
        st.caption(_kept(run))
    with st.container(horizontal=True):
        if isinstance(run.spec, RunSpec) and st.button(
            "Change and run again", type="primary", icon=":material/fork_right:", key="again"
        ):
            url_state.take(run.spec)
            url_state.go("method")
        if st.button("Run again as it was", icon=":material/replay:", key="same"):
            _again(run)
        if st.button("All runs", icon=":material/history:", key="to-history"):
            st.switch_page(navigation.page("history"), query_params={})


def _whose(run: Run) -> None:
    """The way to the sweep that this run is a trial of."""
    number = sweep_of(run.group)
    if number is not None:
        icon = navigation.SCREENS["sweep"].icon
        st.page_link(
            navigation.page("sweep"), label=f"Trial of sweep {number}", icon=icon, query_params={"sweep": str(number)}
        )


def _kept(run: Run) -> str:
    begun = isinstance(run.spec, TrainSpec) and training_form.is_begun(run.spec)
    if begun or (isinstance(run.spec, GoldSpec) and gold_actions.is_begun(run.spec)):
        return "Its last whole epoch was kept: run again, it goes on from there."
    return "Nothing of it was kept. The settings are, so it can be changed and run again."


def _again(run: Run) -> None:
    if isinstance(run.spec, GoldSpec):  # It stays behind everything that people wait for.
        number = gold_actions.order(run.spec, datasets.card(run.spec.request.dataset))
        st.switch_page(navigation.page("run"), query_params={"id": str(number)})
    if isinstance(run.spec, TrainSpec):
        st.switch_page(navigation.page("run"), query_params={"id": str(training_form.order(run.spec))})
    run_bar.submit(run.spec, run.title)


def _caption(run: Run) -> str:
    said = [f"Run {run.id}", f"ended {formatting.ago(run.finished or datetime.now(UTC))}"]
    if run.device:
        said.append(f"on {formatting.device(run.device)}")
    if run.attempt > 1:
        said.append(f"after {run.attempt} attempts")
    return " · ".join(said)


def _how_far(run: Run) -> str:
    phases = run.progress.phases if run.progress else ()
    made, planned = sum(phase.done for phase in phases), sum(phase.steps for phase in phases)
    if not made:
        return "It was stopped before its first step."
    return f"It was stopped after {made:,} of {planned:,} steps."


def _gold_done(run: Run, spec: GoldSpec) -> None:
    st.caption(_caption(run))
    st.title(title(run), anchor=False)
    st.markdown(_GAVE[min(spec.seed, 2)])
    same = [
        other
        for other in cache.store().list(kinds=("unlearn",), states=(RunState.DONE,))
        if isinstance(other.spec, RunSpec) and other.spec.request == spec.request
    ]
    for other in same[:8]:
        st.page_link(
            navigation.page("run"), label=f"Run {other.id}: {title(other)}", query_params={"id": str(other.id)}
        )
    if not same:
        st.caption("There is no such run yet.")
