"""One sweep as it goes and when it is over: the trade-off is the page, and all else serves it."""

import time

import streamlit as st

from unlearn_core import methods
from unlearn_core.charts.drawing.sweep_drawing import Swept, said
from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.method import Method
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.domain.report import in_words
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweep import Sweep, SweepState, Trial, spent
from unlearn_core.ui.pages.sweep import charts, form, sweep_downloads, trial_table
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state, worker_status
from unlearn_core.ui.shell.markdown import escape

POLL = 2.0
"""Seconds between two looks at a sweep that goes on."""


def show(sweep: Sweep) -> None:
    """The whole page of a sweep, which keeps itself up to date for as long as something of it goes on."""
    _named(sweep)  # What is not on the shelves any more is said by the frame, which does not see into a fragment.
    busy = _is_busy(sweep, cache.store().sweeps.unfinished(sweep.id))
    st.fragment(_board, run_every=POLL if busy else None, key=f"sweep-{sweep.id}")(sweep.id, busy)


def gather(sweep: Sweep) -> Swept:
    """A sweep with its trials and the names of its knobs. Raises UnknownName where its method is gone."""
    method, card = _named(sweep)
    return Swept(
        sweep=sweep,
        trials=cache.store().sweeps.trials(sweep.id),
        knobs=method.params.knobs(),
        method=method.title,
        forgotten=in_words(sweep.spec.request.forget, card),
    )


def _named(sweep: Sweep) -> tuple[Method, DatasetCard]:
    return methods.method(sweep.spec.method), datasets.card(sweep.spec.request.dataset)


def _is_busy(sweep: Sweep, unfinished: int) -> bool:
    return sweep.state is SweepState.RUNNING or unfinished > 0


def _board(number: int, was_busy: bool) -> None:
    opened = st.session_state.pop(charts.OPENED, None)
    if opened is not None:
        st.switch_page(navigation.page("run"), query_params={"id": str(opened)})
    swept = gather(cache.store().sweeps.get(number))
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


def _question(swept: Swept) -> str:
    ranges = swept.sweep.spec.ranges
    if len(ranges) == 1:
        return f"What does *{escape(swept.title(ranges[0].knob).lower())}* do?"
    return f"What does it cost to forget *{escape(swept.forgotten)}*?"


def _caption(swept: Swept) -> str:
    """Which sweep, how far it is, what was lost on the way, and how long it may still take."""
    sweep, over = swept.sweep, [trial for trial in swept.trials if trial.is_over]
    parts = [f"Sweep {sweep.id}", f"{escape(swept.method)} on {escape(swept.forgotten)}"]
    if sweep.spec.minutes is None:
        parts.append(f"{len(over)} of {formatting.counted(sweep.spec.most, 'trial')}")
    else:
        used = min(sweep.spec.minutes, spent(swept.trials, time.time()))
        parts.append(f"{formatting.counted(len(over), 'trial')} · {used:.1f} of {sweep.spec.minutes:g} minutes")
    for outcome in ("stopped early", "failed", "cancelled", "deleted"):
        count = sum(trial.outcome == outcome for trial in swept.trials)
        parts += [f"{count} {outcome}"] if count else []
    left = _left(swept)
    if sweep.state is SweepState.RUNNING and left is not None:
        parts.append(f"{formatting.about(left)} left")
    elif sweep.state is not SweepState.RUNNING:
        parts.append(sweep.state.value)
    return " · ".join(parts)


def _left(swept: Swept) -> float | None:
    """Seconds that the trials to come will take, by those that were; None while there is none."""
    over = [trial for trial in swept.trials if trial.is_over and trial.started is not None]
    if not over:
        return None
    if swept.sweep.spec.minutes is not None:
        return max(0.0, 60 * (swept.sweep.spec.minutes - spent(swept.trials, time.time())))
    to_come = swept.sweep.spec.most - sum(trial.is_over for trial in swept.trials)
    return 60 * spent(over, time.time()) / len(over) * to_come


def _buttons(swept: Swept) -> None:
    sweep, store = swept.sweep, cache.store().sweeps
    with st.container(horizontal=True, width="content", vertical_alignment="bottom", gap="small"):
        if sweep.state is SweepState.RUNNING:
            st.button("Pause", icon=":material/pause:", key="sweep-pause", on_click=store.pause, args=(sweep.id,))
        elif sweep.state is SweepState.PAUSED:
            st.button("Resume", icon=":material/play_arrow:", key="sweep-resume", on_click=_resume, args=(sweep.id,))
        if not sweep.state.is_finished:
            st.button("Cancel", icon=":material/stop:", key="sweep-cancel", on_click=store.cancel, args=(sweep.id,))
        best = swept.best
        if best is not None and st.button(
            "Take the best as my settings",
            type="primary",
            icon=":material/check:",
            key="sweep-take",
            help=f"Run {best.run}: {_settings(swept, best)}",
        ):
            url_state.take(sweep.spec.run(best.params))
            url_state.go("method")


def _resume(number: int) -> None:
    cache.store().sweeps.resume(number)
    lifespan.see_to_it()


def _settings(swept: Swept, trial: Trial) -> str:
    return escape(", ".join(f"{swept.title(name).lower()} {said(value)}" for name, value in trial.params.items()))


def _state(swept: Swept, under_way: list[Trial]) -> None:
    """What there is to say before, beside and instead of charts."""
    sweep, goes_on = swept.sweep, swept.sweep.state is SweepState.RUNNING
    runs = [trial.run for trial in under_way if trial.run is not None]
    stands = (goes_on or bool(runs)) and worker_status.say(runs, waits=goes_on, place="sweep")
    if sweep.state is SweepState.FAILED:
        with st.container(border=True):
            st.markdown(":red-badge[:material/error: failed]")
            st.markdown(escape(sweep.error or "No reason was given; worker.log in the data folder may know more."))
            st.caption("The runs below say what happened to each. Change the ranges or the method, and sweep again.")
    elif sweep.state is SweepState.CANCELLED and not swept.done:
        st.info("It was cancelled before a trial was done, so there is nothing to draw.", icon=":material/stop:")
    elif sweep.state is SweepState.PAUSED:
        waits = " The trial in hand still ends." if under_way else ""
        st.info(f"Paused: no new trial begins until you resume.{waits}", icon=":material/pause:")
    elif goes_on and not swept.done and not stands:
        _before_the_first(under_way)


def _before_the_first(under_way: list[Trial]) -> None:
    if any(trial.state is RunState.RUNNING for trial in under_way):
        st.markdown(":shimmer[The first trial is under way.] Its point appears here by itself.")
    else:
        st.markdown("The first trial waits for its turn: what people have asked for goes first.")
    st.caption("You can close this page: the sweep goes on, and its address brings you back.")


def _foot(swept: Swept) -> None:
    """How it was set up, and the way to another one like it."""
    spec = swept.sweep.spec
    aims = " and ".join(OBJECTIVES[name].title.lower() for name in spec.objectives)
    early = "stopped early" if spec.early else "carried to their end"
    st.caption(f"Sampler {form.SAMPLERS[spec.sampler]}, aimed at {aims}, seed {spec.seed}, hopeless trials {early}.")
    with st.container(horizontal=True):
        sweep_downloads.show(swept)
        if st.button("Sweep again from these settings", icon=":material/fork_right:", key="sweep-again"):
            url_state.take(spec.run({}))
            link = form.address([one.knob for one in spec.ranges])
            st.switch_page(navigation.page("sweep"), query_params=link)
        if st.button("All sweeps", icon=":material/scatter_plot:", key="to-sweeps"):
            st.switch_page(navigation.page("sweep"), query_params={})
