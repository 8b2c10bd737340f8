"""The live view of a queued or running run: progress, curve and Cancel. A rerun of the page ends it with the report."""

from collections.abc import Mapping

import streamlit as st

from unlearn_core import methods
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.report import training_curve
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import AddCheckpointSpec, TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.report import forget_set_title
from unlearn_core.domain.run import SEARCH_STAGE, Progress, Run, RunState
from unlearn_core.domain.split import make_split
from unlearn_core.ui.components import chart_card, job_card, time_estimate, training_form
from unlearn_core.ui.pages.run.audience import AUDIENCE, visitor
from unlearn_core.ui.pages.run.drawn_once import DrawnOnce
from unlearn_core.ui.pages.run.page import report_so_far, title
from unlearn_core.ui.room import joined_run
from unlearn_core.ui.shell import cache, formatting, navigation, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape

HEIGHT = 340
"""Height of the curve in pixels, reserved before there is one."""

MOST_AHEAD = 6
"""The most runs ahead of a queued one that are listed."""

AROUND = {
    SEARCH_STAGE: "The method is tried at several strengths from the same model, on training images, and judged by "
    "validation images. The run then uses what fits best.",
    "evaluating": "The model is evaluated in full precision, first on what the verdict needs. Then the report opens.",
    "measuring": "Changes in predictions, weights and Grad-CAM maps are measured. The report opens automatically.",
}
"""What happens before the first step and after the last one, by the stage of the run's progress."""
NO_ESTIMATE = "The remaining time is estimated once the first steps are done."

_CURVES: DrawnOnce[PlainFigure] = DrawnOnce(16)
"""Figures by run, progress and theme: all who watch a run share them."""
_EARLIER: DrawnOnce[dict[str, float]] = DrawnOnce(64)
"""Seconds per step in earlier runs, by run and attempt."""
_SENTENCES: DrawnOnce[str] = DrawnOnce(64)
"""What a method does and with how many images, by run."""


def show(run: Run) -> None:
    """Show an unfinished run and keep the view up to date until it finishes."""
    interval = AUDIENCE.interval(visitor())
    st.fragment(_card, run_every=interval, key=f"live-{run.id}")(run.id, interval)


def _card(number: int, interval: float) -> None:
    run = cache.store().get(number)
    if run.state.is_finished or report_so_far(run) or AUDIENCE.should_change(interval, visitor()):
        st.rerun()
    _head(run)
    if run.state is RunState.QUEUED:
        _show_queued(run)
    else:
        _show_running(run)


def _head(run: Run) -> None:
    readers = cache.store().readers(run.id)
    byline = ownership.byline(run) + joined_run.others_note(readers)
    if run.state is RunState.QUEUED:
        st.caption(f"Run {run.id}{byline} · queued {formatting.format_age(run.created)}")
    else:
        since = f" · started {formatting.format_age(run.started)}" if run.started else ""
        again = " · second attempt" if run.attempt > 1 else ""
        st.caption(f"Run {run.id}{byline} · running on {formatting.device_name(run.device)}{since}{again}")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title(run), anchor=False, width="content")
        job_card.cancel_button(run, key=f"cancel-{run.id}", readers=readers)


def _show_queued(run: Run) -> None:
    st.markdown(f"**{job_card.queue_position(run)}**")
    if not worker_status.show(run, key_scope="live"):
        st.caption("It starts as soon as a worker is free. You can close this page and return by its link.")
    ahead, hidden = cache.store().runs_ahead(run.id)
    if not ahead and not hidden:
        return
    st.header("What is ahead", anchor=False)
    for other in ahead[:MOST_AHEAD]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"ahead-{other.id}"):
            st.page_link(
                navigation.page("run"),
                label=f"Run {other.id}: {escape(other.title)}",
                query_params={"id": str(other.id)},
            )
            words = job_card.step_progress(other)[1] if other.state is RunState.RUNNING else other.state.value
            st.caption(words + job_card.silence_note(other), width="content")
    more = len(ahead[MOST_AHEAD:]) + hidden
    if more:
        st.caption(f"and {formatting.pluralize(more, 'more run')}.")
    st.page_link(navigation.page("queue"), label="The whole queue", icon=":material/hourglass_top:", query_params={})


def _show_running(run: Run) -> None:
    stalled = worker_status.show(run, key_scope="live")
    past = _EARLIER.get((*_attempt(run), run.device), lambda: _step_times(run))
    if run.progress is None or not run.progress.phases:
        st.progress(0.0, text=":shimmer[Getting ready]: loading the classifier and its data set.")
    else:
        _bands(run.progress, past)
    if not stalled and not job_card.show_silence(run):
        st.caption(_remaining(run, past))
    left, right = st.columns([1.9, 1], gap="large")
    with right:
        st.header("Current stage", anchor=False)
        st.markdown(_stage_text(run))
        if not stalled:
            st.caption("You can close this page: the run continues, and its link brings you back.")
    # The curve comes last, because Streamlit greys out whatever follows it at every update.
    with left, st.container(height=HEIGHT + 110, border=False):
        _curve(run, time_estimate.total(run.progress, past) if run.progress else None)


def _attempt(run: Run) -> tuple[str, int, int]:
    """What a run's drawings are kept under, in whichever data folder it is."""
    return str(cache.store().data_dir), run.id, run.attempt


def _step_times(run: Run) -> dict[str, float]:
    earlier = cache.store().list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=20)
    return time_estimate.past_step_times(run, earlier)


def _bands(progress: Progress, past: Mapping[str, float]) -> None:
    bands = time_estimate.phase_progress(progress, past)
    for column, band in zip(st.columns(time_estimate.widths(progress, past)), bands, strict=True):
        column.progress(band.share, text=f"**{band.name.capitalize()}** · {band.words}")


def _remaining(run: Run, past: Mapping[str, float]) -> str:
    if run.cancelling:
        return "It stops after the current step."
    if run.progress is None or not run.progress.phases:
        return NO_ESTIMATE
    if run.progress.stage == SEARCH_STAGE:
        return "The run itself begins after the search."
    if all(phase.done >= phase.steps for phase in run.progress.phases):
        return "All steps are done. The result is being measured."
    seconds = time_estimate.remaining(run.progress, past)
    if seconds is None:
        return NO_ESTIMATE
    return f"{formatting.format_estimate(seconds).capitalize()} of training left, then the result is measured."


def _curve(run: Run, expected: float | None) -> None:
    if isinstance(run.spec, TrainSpec):
        training_form.show_curve(run)
    if not isinstance(run.spec, UnlearnSpec):
        return
    st.header("Accuracy during the run", anchor=False)
    spec, theme = run.spec, chart_card.current_theme()
    phases = run.progress.phases if run.progress else ()
    st.plotly_chart(
        _CURVES.get(
            (*_attempt(run), run.progress, expected, theme.name),
            lambda: PlainFigure.of(
                training_curve.live_figure(cache.store().curve(run.id), phases, _sides(spec), theme, expected=expected)
            ),
        ),
        theme=None,
        key=f"curve-{run.id}",
        height=HEIGHT,
        config={"displayModeBar": False},
        alt="Accuracy on a sample of the forget set and of the retain set, by step, over the phases of the run.",
    )
    st.caption("Measured on a small fixed sample. The full evaluation comes at the end.")


def _sides(spec: UnlearnSpec) -> tuple[str, str]:
    """The labels of the two lines."""
    card = datasets.card(spec.request.dataset)
    if spec.request.forget.kind == "images":
        return "forget set", f"other {card.item_noun}s"
    return forget_set_title(spec, card), "other classes"


def _stage_text(run: Run) -> str:
    """The current stage in words, from the method's description and this run's numbers."""
    now = run.progress.stage if run.progress else ""
    if now in AROUND:
        return f"**{now.capitalize()}.** {AROUND[now]}"
    head = f"**Now: {now}.** " if now else ""
    if isinstance(run.spec, TrainSpec):
        return head + training_form.describe_training(run.spec)
    if isinstance(run.spec, AddCheckpointSpec):
        return head + "The checkpoint is loaded in a separate process, matched to its architecture and evaluated."
    if isinstance(run.spec, TrainGoldSpec):
        return head + "The same classifier is retrained by its own recipe without the forget set, as the reference."
    if not isinstance(run.spec, UnlearnSpec):
        return head + "Missing measurements are added to the report."
    spec = run.spec
    return head + _SENTENCES.get(_attempt(run), lambda: _method_text(spec))


def _method_text(spec: UnlearnSpec) -> str:
    method = methods.method(spec.method)
    card = datasets.card(spec.request.dataset)
    needs = method.needs(method.params.parse(spec.params))
    split = make_split(card, cache.image_dataset(card.id).labels, spec.request.forget)
    noun, kept, lost = card.item_noun, len(split.retain_train), len(split.forget_train)
    retain = f"{kept:,} retained {noun}s" if needs.retain else f"no retained {noun}s"
    forget = f"{lost:,} forget {noun}s" if needs.forget else f"none of the {lost:,} forget {noun}s"
    joined = "and" if needs.retain == needs.forget else "but"
    return f"{method.idea}\n\nThe method uses {retain} {joined} {forget}."
