"""A run that waits or works: where it stands, and how to end it. It turns into the report by one rerun of the page."""

from collections.abc import Mapping

import streamlit as st

from unlearn_core import methods
from unlearn_core.charts.report import training_curve
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import AddCheckpointSpec, TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.report import forget_set_title
from unlearn_core.domain.run import Progress, Run, RunState
from unlearn_core.domain.split import make_split
from unlearn_core.ui.components import chart_card, time_estimate, training_form
from unlearn_core.ui.pages.run.page import title
from unlearn_core.ui.shell import cache, formatting, worker_status

POLL = 0.5
"""Seconds between two looks at a run that is on screen."""

HEIGHT = 340
"""Pixels kept free for the curve, whether there is one yet or not."""

AFTERWARDS = {
    "evaluating": "Every picture of the data set is shown to the net once, in full precision.",
    "measuring": "What changed is looked at: answers, weights, where the net looks. Then the report opens by itself.",
}
"""What happens when all steps are made, by the tracker's word for it."""


def show(run: Run) -> None:
    """The card of an unfinished run, which keeps itself up to date for as long as the run lasts."""
    st.fragment(_card, run_every=POLL, key=f"live-{run.id}")(run.id)


def _card(number: int) -> None:
    run = cache.store().get(number)
    if run.state.is_finished:
        st.rerun()
    _head(run)
    if run.state is RunState.QUEUED:
        _waiting(run)
    else:
        _working(run)


def _head(run: Run) -> None:
    if run.state is RunState.QUEUED:
        st.caption(f"Run {run.id} · waiting · asked for {formatting.format_age(run.created)}")
    else:
        since = f" · started {formatting.format_age(run.started)}" if run.started else ""
        again = " · second attempt" if run.attempt > 1 else ""
        st.caption(f"Run {run.id} · running on {formatting.device_name(run.device)}{since}{again}")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title(run), anchor=False, width="content")
        st.button(
            "Stopping" if run.cancelling else "Cancel",
            icon=":material/stop:",
            key=f"cancel-{run.id}",
            on_click=cache.store().cancel,
            args=(run.id,),
            disabled=run.cancelling,
        )


def _waiting(run: Run) -> None:
    before = cache.store().queue_position(run.id)
    if before:
        st.markdown(f"**{formatting.pluralize(before, 'run')} {'goes' if before == 1 else 'go'} before this one.**")
    else:
        st.markdown("**Next in line.**")
    if not worker_status.of(run, place="live"):
        st.caption("It starts as soon as a worker is free. You can close this page: its address brings you back.")


def _working(run: Run) -> None:
    stands, store = worker_status.of(run, place="live"), cache.store()
    past = time_estimate.past_step_times(run, store.list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=20))
    if run.progress is None or not run.progress.phases:
        st.progress(0.0, text=":shimmer[Getting ready]: the classifier and its pictures are loaded.")
    else:
        _bands(run.progress, past)
    if not stands:
        st.caption(_remaining(run, past))
    left, right = st.columns([1.9, 1], gap="large")
    with right:
        st.subheader("What it is doing", anchor=False)
        st.markdown(_stage_text(run))
        if not stands:
            st.caption("You can close this page: the run goes on, and its address brings you back.")
    # The curve comes last: what waits for it would be greyed out in every tick.
    with left, st.container(height=HEIGHT + 110, border=False):
        _curve(run, time_estimate.total(run.progress, past) if run.progress else None)


def _bands(progress: Progress, past: Mapping[str, float]) -> None:
    bands = time_estimate.phase_progress(progress, past)
    for column, band in zip(st.columns(time_estimate.widths(progress, past)), bands, strict=True):
        column.progress(band.share, text=f"**{band.name.capitalize()}** · {band.words}")


def _remaining(run: Run, past: Mapping[str, float]) -> str:
    if run.cancelling:
        return "It stops after the step in hand."
    if run.progress is None or not run.progress.phases:
        return "How long it will take is said once the first steps have been timed."
    if all(phase.done >= phase.steps for phase in run.progress.phases):
        return "All steps are made. What is left is to measure what they did."
    seconds = time_estimate.remaining(run.progress, past)
    if seconds is None:
        return "How long it will take is said once the first steps have been timed."
    return f"{formatting.format_estimate(seconds).capitalize()} of training left, then the result is measured."


def _curve(run: Run, expected: float | None) -> None:
    if isinstance(run.spec, TrainSpec):
        training_form.show_curve(run)
    if not isinstance(run.spec, UnlearnSpec):
        return
    st.subheader("Two accuracies, as they come", anchor=False)
    phases = run.progress.phases if run.progress else ()
    points = cache.store().curve(run.id)
    figure = training_curve.live_figure(points, phases, _sides(run.spec), chart_card.current_theme(), expected=expected)
    st.plotly_chart(
        figure,
        theme=None,
        key=f"curve-{run.id}",
        height=HEIGHT,
        config={"displayModeBar": False},
        alt="Accuracy on a few forgotten and on a few kept pictures, step by step, over the phases of the run.",
    )
    st.caption("On a few fixed pictures, in passing. The full measurement comes at the end.")


def _sides(spec: UnlearnSpec) -> tuple[str, str]:
    """What the two lines are called."""
    if spec.request.forget.kind == "images":
        return "forgotten", "other pictures"
    return forget_set_title(spec, datasets.card(spec.request.dataset)), "other classes"


def _stage_text(run: Run) -> str:
    """What goes on, in words, from the method's own card and this run's numbers."""
    now = run.progress.stage if run.progress else ""
    if now in AFTERWARDS:
        return f"**{now.capitalize()}.** {AFTERWARDS[now]}"
    head = f"**Now: {now}.** " if now else ""
    if isinstance(run.spec, TrainSpec):
        return head + training_form.describe_training(run.spec)
    if isinstance(run.spec, AddCheckpointSpec):
        return head + "The checkpoint is loaded by a process of its own, compared, and asked about every picture."
    if isinstance(run.spec, TrainGoldSpec):
        return (
            head
            + "The same classifier is trained anew by its own recipe, without the forgotten pictures: the yardstick."
        )
    if not isinstance(run.spec, UnlearnSpec):
        return head + "What could not be measured before is added to the report."
    method = methods.method(run.spec.method)
    card = datasets.card(run.spec.request.dataset)
    needs = method.needs(method.params.parse(run.spec.params))
    split = make_split(card, cache.image_dataset(card.id).labels, run.spec.request.forget)
    kept, lost = len(split.retain_train), len(split.forget_train)
    what = forget_set_title(run.spec, card)
    given = f"It may use the {kept:,} kept pictures" if needs.retain else "It is handed no kept picture"
    given += (
        f" and the {lost:,} forgotten ones." if needs.forget else f"; the {lost:,} of *{what}* are never shown to it."
    )
    return f"{head}{method.idea}\n\n{given}"
