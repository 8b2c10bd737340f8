"""The page of one sweep, running or finished: progress, charts, trial table and downloads."""

import time
from typing import Any

import streamlit as st

from unlearn_core import methods
from unlearn_core.charts.drawing.sweep_drawing import SweepData, format_value
from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.method import Method
from unlearn_core.domain.report import describe_forget_set
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.domain.sweeps.sweep import Sweep, SweepState, Trial, busy_minutes, trial_name
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.sweep import charts, form, sweep_downloads, trial_table
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, ownership, url_state, worker_status
from unlearn_core.ui.shell.markdown import escape


def show(sweep: Sweep) -> None:
    """The page of a sweep, which updates itself while the sweep or one of its trials is running."""
    _method_and_dataset(sweep)  # The page frame reports a missing one, but cannot see into a fragment.
    busy = _is_busy(sweep, cache.store().sweeps.count_unfinished(sweep.id))
    interval = worker_status.BACKGROUND_POLL_SECONDS if busy else None
    st.fragment(_board, run_every=interval, key=f"sweep-{sweep.id}")(sweep.id, busy)


def load_sweep_data(sweep: Sweep) -> SweepData:
    """A sweep with its trials and hyperparameters. Raises NotFoundError if its method is gone."""
    _, card = _method_and_dataset(sweep)
    version = cache.store().sweeps.version(sweep.id)
    return _sweep_data(str(open_data_dir()), version, describe_forget_set(sweep.spec.request.forget, card), sweep)


@st.cache_resource(show_spinner=False, max_entries=8)
def _sweep_data(folder: str, version: str, forgotten: str, _sweep: Sweep) -> SweepData:
    method = methods.method(_sweep.spec.method)
    return SweepData(
        sweep=_sweep,
        trials=cache.store().sweeps.trials(_sweep.id),
        hyperparameters=method.params.hyperparameters(),
        method=method.title,
        forgotten=forgotten,
        version=version,
    )


def _method_and_dataset(sweep: Sweep) -> tuple[Method, DatasetCard]:
    return methods.method(sweep.spec.method), datasets.card(sweep.spec.request.dataset)


def _is_busy(sweep: Sweep, unfinished: int) -> bool:
    return sweep.state is SweepState.RUNNING or unfinished > 0


def _board(number: int, was_busy: bool) -> None:
    chart_card.open_clicked_run()
    sweep_data = load_sweep_data(cache.store().sweeps.get(number))
    unfinished = [trial for trial in sweep_data.trials if not trial.is_over]
    if _is_busy(sweep_data.sweep, len(unfinished)) != was_busy:
        st.rerun()
    st.caption(_caption(sweep_data))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(sweep_data.title(lambda name: f"*{escape(name)}*"), anchor=False, width="content")
        _buttons(sweep_data)
    _state(sweep_data, unfinished)
    if sweep_data.sweep.id == shipped_runs.SWEEP_NUMBER:
        st.caption("This sweep ships with the lab, without the reports of its trials: sweep again to have them.")
    if sweep_data.done:
        charts.show(sweep_data, busy=was_busy)
    if sweep_data.trials:
        trial_table.show(sweep_data)
    _foot(sweep_data)


def _caption(sweep_data: SweepData) -> str:
    """Number, progress, failures and remaining time of a sweep."""
    sweep, over = sweep_data.sweep, [trial for trial in sweep_data.trials if trial.is_over]
    first = "Shipped sweep" if sweep.id == shipped_runs.SWEEP_NUMBER else f"Sweep {sweep.id}"
    parts = [first, f"{escape(sweep_data.method)} on {escape(sweep_data.forgotten)}"]
    if sweep.spec.minutes is None:
        parts.append(f"{len(over)} of {formatting.pluralize(sweep.spec.max_trials, 'trial')}")
    else:
        used = min(sweep.spec.minutes, busy_minutes(sweep_data.trials, time.time()))
        parts.append(f"{formatting.pluralize(len(over), 'trial')} · {used:.1f} of {sweep.spec.minutes:g} minutes")
    for outcome in ("stopped early", "failed", "cancelled", "deleted"):
        count = sum(trial.status == outcome for trial in sweep_data.trials)
        parts += [f"{count} {outcome}"] if count else []
    left = _left(sweep_data)
    if sweep.state is SweepState.RUNNING and left is not None:
        parts.append(f"{formatting.format_estimate(left)} left")
    elif sweep.state is not SweepState.RUNNING:
        parts.append(sweep.state.value)
    return " · ".join(parts)


def _left(sweep_data: SweepData) -> float | None:
    """Estimated seconds for the remaining trials, from the finished ones; None while there are none."""
    over = [trial for trial in sweep_data.trials if trial.is_over and trial.started is not None]
    if not over:
        return None
    if sweep_data.sweep.spec.minutes is not None:
        return max(0.0, 60 * (sweep_data.sweep.spec.minutes - busy_minutes(sweep_data.trials, time.time())))
    to_come = sweep_data.sweep.spec.max_trials - sum(trial.is_over for trial in sweep_data.trials)
    return 60 * busy_minutes(over, time.time()) / len(over) * to_come


def _buttons(sweep_data: SweepData) -> None:
    sweep, refusal = sweep_data.sweep, ownership.refusal([sweep_data.sweep.owner])
    options: dict[str, Any] = {"args": (sweep.id,), "disabled": refusal is not None, "help": refusal}
    with st.container(horizontal=True, width="content", vertical_alignment="bottom", gap="small"):
        if sweep.state is SweepState.RUNNING:
            st.button("Pause", icon=":material/pause:", key="sweep-pause", on_click=_pause, **options)
        elif sweep.state is SweepState.PAUSED:
            st.button("Resume", icon=":material/play_arrow:", key="sweep-resume", on_click=_resume, **options)
        if not sweep.state.is_finished:
            st.button("Cancel", icon=":material/stop:", key="sweep-cancel", on_click=_cancel, **options)
        best = sweep_data.best
        if best is not None and st.button(
            "Use the best settings",
            type="primary",
            icon=":material/check:",
            key="sweep-take",
            help=f"{trial_name(best).capitalize()}: {_settings(sweep_data, best)}",
        ):
            url_state.load_spec(sweep.spec.run_spec(best.params))
            url_state.open_page("method")


def _pause(number: int) -> None:
    cache.store().sweeps.pause(number)


def _cancel(number: int) -> None:
    cache.store().sweeps.cancel(number)


def _resume(number: int) -> None:
    cache.store().sweeps.resume(number)
    lifespan.ensure_worker()


def _settings(sweep_data: SweepData, trial: Trial) -> str:
    return escape(
        ", ".join(
            f"{sweep_data.hyperparameter_title(name).lower()} {format_value(value)}"
            for name, value in trial.params.items()
        )
    )


def _state(sweep_data: SweepData, unfinished: list[Trial]) -> None:
    """Messages about the sweep's state, next to or instead of charts."""
    sweep, is_running = sweep_data.sweep, sweep_data.sweep.state is SweepState.RUNNING
    runs = [trial.run for trial in unfinished if trial.run is not None]
    has_no_worker = (is_running or bool(runs)) and worker_status.show_for_ids(
        runs, has_queued=is_running, key_scope="sweep"
    )
    if sweep.state is SweepState.FAILED:
        with st.container(border=True):
            st.markdown(":red-badge[:material/error: failed]")
            st.markdown(escape(sweep.error or "No reason was recorded. See worker.log in the data folder."))
            navigation.bug_report(sweep.error, key_scope="sweep")
            st.caption(
                "The table below shows what happened to each run. Change the ranges or the method, and sweep again."
            )
    elif sweep.state is SweepState.CANCELLED and not sweep_data.done:
        st.info("It was cancelled before a trial finished, so there is nothing to show.", icon=":material/stop:")
    elif sweep.state is SweepState.PAUSED:
        waits = " The running trial still finishes." if unfinished else ""
        st.info(f"Paused: no new trial starts until you resume.{waits}", icon=":material/pause:")
    elif is_running and not sweep_data.done and not has_no_worker:
        _before_the_first(unfinished)


def _before_the_first(unfinished: list[Trial]) -> None:
    if any(trial.state is RunState.RUNNING for trial in unfinished):
        st.markdown(":shimmer[The first trial is running.] Its point appears here automatically.")
    else:
        st.markdown("The first trial is queued: other runs go first.")
    st.caption("You can close this page: the sweep continues, and its link brings you back.")


def _foot(sweep_data: SweepData) -> None:
    """How the sweep was set up, downloads, and buttons to sweep again or see all sweeps."""
    spec = sweep_data.sweep.spec
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    early = "on" if spec.early else "off"
    st.caption(f"Sampler {form.SAMPLERS[spec.sampler]}, objectives: {aims}, seed {spec.seed}, early stopping {early}.")
    with st.container(horizontal=True):
        sweep_downloads.show(sweep_data)
        if st.button("Sweep again with these settings", icon=":material/fork_right:", key="sweep-again"):
            url_state.load_spec(spec.run_spec({}))
            link = form.sweep_params([one.knob for one in spec.ranges])
            st.switch_page(navigation.page("sweep"), query_params=link)
        if st.button("All sweeps", icon=":material/scatter_plot:", key="to-sweeps"):
            st.switch_page(navigation.page("sweep"), query_params={})
