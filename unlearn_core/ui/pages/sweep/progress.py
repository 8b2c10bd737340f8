"""One sweep as it goes and when it is over: the trade-off is the page, and all else serves it."""

import time

import streamlit as st

from unlearn_core import methods
from unlearn_core.charts.drawing.sweep_drawing import SweepData, format_value
from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.method import Method
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.domain.report import describe_forget_set
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweep import Sweep, SweepState, Trial, busy_minutes
from unlearn_core.ui.pages.sweep import charts, form, sweep_downloads, trial_table
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state, worker_status
from unlearn_core.ui.shell.markdown import escape

POLL = 2.0
"""Seconds between two looks at a sweep that goes on."""


def show(sweep: Sweep) -> None:
    """The whole page of a sweep, which keeps itself up to date for as long as something of it goes on."""
    _method_and_dataset(
        sweep
    )  # What is not on the shelves any more is said by the frame, which does not see into a fragment.
    busy = _is_busy(sweep, cache.store().sweeps.count_unfinished(sweep.id))
    st.fragment(_board, run_every=POLL if busy else None, key=f"sweep-{sweep.id}")(sweep.id, busy)


def load_sweep_data(sweep: Sweep) -> SweepData:
    """A sweep with its trials and the names of its knobs. Raises UnknownName where its method is gone."""
    method, card = _method_and_dataset(sweep)
    return SweepData(
        sweep=sweep,
        trials=cache.store().sweeps.trials(sweep.id),
        hyperparameters=method.params.hyperparameters(),
        method=method.title,
        forgotten=describe_forget_set(sweep.spec.request.forget, card),
    )


def _method_and_dataset(sweep: Sweep) -> tuple[Method, DatasetCard]:
    return methods.method(sweep.spec.method), datasets.card(sweep.spec.request.dataset)


def _is_busy(sweep: Sweep, unfinished: int) -> bool:
    return sweep.state is SweepState.RUNNING or unfinished > 0


def _board(number: int, was_busy: bool) -> None:
    opened = st.session_state.pop(charts.OPENED_KEY, None)
    if opened is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(opened)})
    swept = load_sweep_data(cache.store().sweeps.get(number))
    under_way = [trial for trial in swept.trials if not trial.is_over]
    if _is_busy(swept.sweep, len(under_way)) != was_busy:
        st.rerun()
    st.caption(_caption(swept))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(_question(swept), anchor=False, width="content")
        _buttons(swept)
    _state(swept, under_way)
    if swept.done:
        charts.show(swept, busy=was_busy)
    if swept.trials:
        trial_table.show(swept)
    _foot(swept)


def _question(sweep_data: SweepData) -> str:
    ranges = sweep_data.sweep.spec.ranges
    if len(ranges) == 1:
        return f"What does *{escape(sweep_data.hyperparameter_title(ranges[0].knob).lower())}* do?"
    return f"What does it cost to forget *{escape(sweep_data.forgotten)}*?"


def _caption(sweep_data: SweepData) -> str:
    """Which sweep, how far it is, what was lost on the way, and how long it may still take."""
    sweep, over = sweep_data.sweep, [trial for trial in sweep_data.trials if trial.is_over]
    parts = [f"Sweep {sweep.id}", f"{escape(sweep_data.method)} on {escape(sweep_data.forgotten)}"]
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
    """Seconds that the trials to come will take, by those that were; None while there is none."""
    over = [trial for trial in sweep_data.trials if trial.is_over and trial.started is not None]
    if not over:
        return None
    if sweep_data.sweep.spec.minutes is not None:
        return max(0.0, 60 * (sweep_data.sweep.spec.minutes - busy_minutes(sweep_data.trials, time.time())))
    to_come = sweep_data.sweep.spec.max_trials - sum(trial.is_over for trial in sweep_data.trials)
    return 60 * busy_minutes(over, time.time()) / len(over) * to_come


def _buttons(sweep_data: SweepData) -> None:
    sweep, store = sweep_data.sweep, cache.store().sweeps
    with st.container(horizontal=True, width="content", vertical_alignment="bottom", gap="small"):
        if sweep.state is SweepState.RUNNING:
            st.button("Pause", icon=":material/pause:", key="sweep-pause", on_click=store.pause, args=(sweep.id,))
        elif sweep.state is SweepState.PAUSED:
            st.button("Resume", icon=":material/play_arrow:", key="sweep-resume", on_click=_resume, args=(sweep.id,))
        if not sweep.state.is_finished:
            st.button("Cancel", icon=":material/stop:", key="sweep-cancel", on_click=store.cancel, args=(sweep.id,))
        best = sweep_data.best
        if best is not None and st.button(
            "Take the best as my settings",
            type="primary",
            icon=":material/check:",
            key="sweep-take",
            help=f"Run {best.run}: {_settings(sweep_data, best)}",
        ):
            url_state.load_spec(sweep.spec.run_spec(best.params))
            url_state.open_page("method")


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


def _state(sweep_data: SweepData, under_way: list[Trial]) -> None:
    """What there is to say before, beside and instead of charts."""
    sweep, goes_on = sweep_data.sweep, sweep_data.sweep.state is SweepState.RUNNING
    runs = [trial.run for trial in under_way if trial.run is not None]
    stands = (goes_on or bool(runs)) and worker_status.say(runs, waits=goes_on, place="sweep")
    if sweep.state is SweepState.FAILED:
        with st.container(border=True):
            st.markdown(":red-badge[:material/error: failed]")
            st.markdown(escape(sweep.error or "No reason was given; worker.log in the data folder may know more."))
            st.caption("The runs below say what happened to each. Change the ranges or the method, and sweep again.")
    elif sweep.state is SweepState.CANCELLED and not sweep_data.done:
        st.info("It was cancelled before a trial was done, so there is nothing to draw.", icon=":material/stop:")
    elif sweep.state is SweepState.PAUSED:
        waits = " The trial in hand still ends." if under_way else ""
        st.info(f"Paused: no new trial begins until you resume.{waits}", icon=":material/pause:")
    elif goes_on and not sweep_data.done and not stands:
        _before_the_first(under_way)


def _before_the_first(under_way: list[Trial]) -> None:
    if any(trial.state is RunState.RUNNING for trial in under_way):
        st.markdown(":shimmer[The first trial is under way.] Its point appears here by itself.")
    else:
        st.markdown("The first trial waits for its turn: what people have asked for goes first.")
    st.caption("You can close this page: the sweep goes on, and its address brings you back.")


def _foot(sweep_data: SweepData) -> None:
    """How it was set up, and the way to another one like it."""
    spec = sweep_data.sweep.spec
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    early = "stopped early" if spec.early else "carried to their end"
    st.caption(f"Sampler {form.SAMPLERS[spec.sampler]}, aimed at {aims}, seed {spec.seed}, hopeless trials {early}.")
    with st.container(horizontal=True):
        sweep_downloads.show(sweep_data)
        if st.button("Sweep again from these settings", icon=":material/fork_right:", key="sweep-again"):
            url_state.load_spec(spec.run_spec({}))
            link = form.sweep_params([one.knob for one in spec.ranges])
            st.switch_page(navigation.page("sweep"), query_params=link)
        if st.button("All sweeps", icon=":material/scatter_plot:", key="to-sweeps"):
            st.switch_page(navigation.page("sweep"), query_params={})
