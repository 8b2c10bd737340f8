"""The run named in the URL, and what the page shows in each state without a report, always with a next step."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.errors import DamagedReportError, NotFoundError, StoreError
from unlearn_core.domain.jobs import (
    AddCheckpointSpec,
    ExplainSpec,
    FeaturesSpec,
    ImportDatasetSpec,
    MeasureSpec,
    TrainGoldSpec,
    TrainSpec,
    UnlearnSpec,
)
from unlearn_core.domain.report import Report, forget_set_title
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.sweeps.sweep import sweep_id
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts, reports, shipped_runs
from unlearn_core.ui.components import gold_actions, run_bar, training_form
from unlearn_core.ui.components.checkpoint import checkpoint_result
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.pages.run import presenter
from unlearn_core.ui.report import report_view
from unlearn_core.ui.room import joined_run, slides
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import cache, formatting, navigation, ownership, url_state
from unlearn_core.ui.shell.markdown import escape

_SHOWN = "run shown"

_GOLD_DONE = (
    "This retrained model is ready. All runs with the same request are compared with it, or will be in a moment:",
    "This second retrained model is ready. All runs with the same request show how far two retrained models are "
    "apart, or will in a moment:",
    "This retrained model is ready. Reports use the first two of a request; further ones are stored. These runs have "
    "the same request:",
)
"""What the page of a trained gold says, by the gold's number."""


def requested_run() -> Run | Report | None:
    """Return the run in the URL, or the report of a run that ships, or None.

    Without an id it is the run that this session showed last, else the visitor's latest run. The back button needs
    this: Streamlit leaves a URL in the history with this page's path and the next page's parameters.
    """
    if "id" not in st.query_params:
        _write_url(st.session_state.get(_SHOWN) or _latest())
    wanted = st.query_params.get("id")
    found = None if wanted is None else _shipped(wanted) or _run(wanted)
    if found is not None:
        st.session_state[_SHOWN] = wanted
    return found


def _shipped(wanted: str) -> Report | None:
    """The report of a run that ships, if this is its number or the name of the example."""
    if wanted == shipped_runs.EXAMPLE:
        return cache.example()
    number = url_state.parse_run(wanted)
    return cache.shipped_report(number) if number is not None and number < 0 else None


def _latest() -> str | None:
    """The visitor's latest run, if possible one that was not cancelled and is no trial of a sweep."""
    runs = cache.store().list_runs(kinds=("unlearn",), owner=visitor.actor().id)
    own = [run for run in runs if run.state is not RunState.CANCELLED and sweep_id(run.group) is None]
    return str((own or runs)[0].id) if runs else None


def _write_url(wanted: str | None) -> None:
    """Write a run into the URL and remove the parameters of other pages."""
    for name in set(st.query_params) - {"tab", levels.LEVEL_PARAM}:
        del st.query_params[name]
    if wanted is not None:
        st.query_params["id"] = wanted


def _run(wanted: str) -> Run | None:
    number = url_state.parse_number(wanted)
    if number is None:
        return None
    try:
        found = cache.open_run(number)
        if isinstance(found.spec, ImportDatasetSpec):  # The page Datasets shows its progress and its result.
            st.switch_page(navigation.page("datasets"), query_params={})
        if isinstance(found.spec, FeaturesSpec):  # The page Forget uses its result.
            st.switch_page(navigation.page("forget"), query_params={"classifier": found.spec.classifier})
        return cache.open_run(found.spec.run) if isinstance(found.spec, ExplainSpec | MeasureSpec) else found
    except NotFoundError:
        return None


def title(run: Run) -> str:
    """The heading of a run's page."""
    spec = run.spec
    if isinstance(spec, UnlearnSpec):
        what = forget_set_title(spec, datasets.card(spec.request.dataset))
        return f"Forget *{escape(what)}* with {escape(methods.method(spec.method).title)}"
    if isinstance(spec, TrainGoldSpec):
        card = datasets.card(spec.request.dataset)
        what = forget_set_title(UnlearnSpec(request=spec.request, method="", params={}), card)
        return f"Retrain without *{escape(what)}*" + (f", number {spec.seed + 1}" if spec.seed else "")
    return escape(run.title)


def show_nothing() -> None:
    """Show the page without a run: there is none yet, or no run with the requested id."""
    wanted = st.query_params.get("id")
    if wanted is None:
        st.title("Nothing has been run yet", anchor=False)
        st.markdown("Choose what a classifier should forget, then follow the run here.")
    else:
        st.title("There is no such run", anchor=False)
        st.markdown(
            f"This lab has no run with the id “{escape(wanted[:40])}”. It may have been deleted, or the link is from "
            "another data folder."
            + (
                " If somebody sent you the link, ask them to press *Share* on its page."
                if ownership.is_private()
                else ""
            )
        )
    with st.container(horizontal=True):
        if st.button("Choose what to forget", type="primary", icon=":material/ink_eraser:", key="to-forget"):
            url_state.open_page("forget")
        if st.button("See a finished run", icon=":material/visibility:", key="to-example"):
            st.switch_page(navigation.page("run"), query_params={"id": shipped_runs.EXAMPLE})
        if st.button("All runs", icon=":material/history:", key="to-history"):
            st.switch_page(navigation.page("history"), query_params={})


def report_so_far(run: Run) -> bool:
    """Whether a run that is not done has a report: it is being measured, or was when it was cancelled or failed."""
    return run.state is not RunState.DONE and has_report(run)


def has_report(run: Run) -> bool:
    """Whether there is a report of this run, complete or not."""
    folder = artifacts.run_dir(open_data_dir(), run.id)
    return isinstance(run.spec, UnlearnSpec) and artifacts.has_report(folder)


def show_done(run: Run) -> None:
    """Show the report of a run as far as it is measured, or the result of a training run."""
    if isinstance(run.spec, TrainGoldSpec):
        _gold_done(run, run.spec)
        return
    if isinstance(run.spec, TrainSpec | AddCheckpointSpec):
        (training_form if isinstance(run.spec, TrainSpec) else checkpoint_result).show_result(run, _caption(run))
        return
    group = cache.store().repeats.runs_of(run)
    try:
        version = reports.report_version(open_data_dir(), run.id)
        found = cache.report(run.id, version)
    except StoreError as problem:
        state = "report damaged" if isinstance(problem, DamagedReportError) else "report missing"
        remains = "The settings are stored: you can change them and run again."
        _show_ended(run, state, str(problem), color="red", icon=":material/broken_image:", remains=remains)
        return
    show_report(found, run, group, version)


def show_report(
    report: Report, run: Run | None, group: Sequence[Run] = (), version: tuple[str, ...] | None = None
) -> None:
    """Show a report, or one slide of it if the URL asks for it; `run` is None for a run that ships.

    `version` is that of the report's folder before it was read.
    """
    if slides.is_open():
        presenter.show(report)
        return
    if run is not None:
        _sweep_link(run)
        if joined_run.offer_again(run) and isinstance(run.spec, UnlearnSpec):
            run_bar.submit_anyway(run.spec, run.title)
    report_view.show(report, run, group, version)


def show_ended(run: Run) -> None:
    """Show a run that failed or was cancelled, with the reason and the next steps."""
    if run.state is RunState.FAILED:
        reason = run.error or "No reason was recorded. See worker.log in the data folder."
        _show_ended(run, "failed", reason, color="red", icon=":material/error:")
    else:
        why = f" {run.note}" if sweep_id(run.group) is not None and run.note else ""
        _show_ended(run, "cancelled", _how_far(run) + why, color="gray", icon=":material/stop:")


def _show_ended(run: Run, state: str, reason: str, *, color: str, icon: str, remains: str = "") -> None:
    _sweep_link(run)
    st.caption(_caption(run))
    with st.container(horizontal=True):  # As in the live view and the report, so that the heading does not move.
        st.title(title(run), anchor=False, width="content")
    with st.container(border=True):
        st.markdown(f":{color}-badge[{icon} {state}]")
        st.markdown(escape(reason))
        st.caption(remains or _what_remains(run))
        navigation.bug_report(reason, key_scope="run")
    with st.container(horizontal=True):
        if isinstance(run.spec, UnlearnSpec) and st.button(
            "Change and run again", type="primary", icon=":material/fork_right:", key="again"
        ):
            url_state.load_spec(run.spec)
            url_state.open_page("method")
        if st.button("Run again unchanged", icon=":material/replay:", key="same"):
            _run_again(run)
        if st.button("All runs", icon=":material/history:", key="to-history"):
            st.switch_page(navigation.page("history"), query_params={})


def _sweep_link(run: Run) -> None:
    """Show a link to the sweep that this run is a trial of."""
    number = sweep_id(run.group)
    if number is not None:
        icon = navigation.PAGES["sweep"].icon
        st.page_link(
            navigation.page("sweep"), label=f"Trial of sweep {number}", icon=icon, query_params={"sweep": str(number)}
        )


def _what_remains(run: Run) -> str:
    begun = isinstance(run.spec, TrainSpec) and training_form.is_partial(run.spec)
    if begun or (isinstance(run.spec, TrainGoldSpec) and gold_actions.is_partial(run.spec)):
        return "The last complete epoch is stored: a new run resumes there."
    return "No results were stored, but the settings were: you can change them and run again."


def _run_again(run: Run) -> None:
    """Queue the run again with its settings, and open the page of the new run."""
    if isinstance(run.spec, TrainGoldSpec):  # It keeps its low priority.
        number = gold_actions.submit(run.spec, datasets.card(run.spec.request.dataset))
        st.switch_page(navigation.page("run"), query_params={"id": str(number)})
    if isinstance(run.spec, TrainSpec):
        st.switch_page(navigation.page("run"), query_params={"id": str(training_form.submit(run.spec))})
    if run.state is RunState.DONE and isinstance(run.spec, UnlearnSpec):  # Its report is damaged or gone.
        run_bar.submit_anyway(run.spec, run.title)
    run_bar.submit(run.spec, run.title)


def _caption(run: Run) -> str:
    moment = formatting.format_moment(run.finished or datetime.now(UTC), st.context.timezone)
    pieces = [f"Run {run.id}{ownership.byline(run)}", f"ended {moment}"]
    if run.device:
        pieces.append(f"on {formatting.device_name(run.device)}")
    if run.attempt > 1:
        pieces.append(f"after {run.attempt} attempts")
    return " · ".join(pieces)


def _how_far(run: Run) -> str:
    phases = run.progress.phases if run.progress else ()
    done, planned = sum(phase.done for phase in phases), sum(phase.steps for phase in phases)
    if not done:
        return "It was stopped before its first step."
    return f"It was stopped after {done:,} of {planned:,} steps."


def _gold_done(run: Run, spec: TrainGoldSpec) -> None:
    st.caption(_caption(run))
    st.title(title(run), anchor=False)
    st.markdown(_GOLD_DONE[min(spec.seed, 2)])
    same = [
        other
        for other in cache.store().list_runs(kinds=("unlearn",), states=(RunState.DONE,))
        if isinstance(other.spec, UnlearnSpec) and other.spec.request == spec.request
    ]
    for other in same[:8]:
        st.page_link(
            navigation.page("run"), label=f"Run {other.id}: {title(other)}", query_params={"id": str(other.id)}
        )
    if not same:
        st.caption("There is no such run yet.")
