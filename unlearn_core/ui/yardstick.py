"""The third column while it is missing: why, how to get it, and how far its training is."""

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.domain.run import GoldSpec, MeasureSpec, Priority, Run, RunState
from unlearn_core.store import reports
from unlearn_core.store.home import home
from unlearn_core.ui import command, frame, pace, process, studio, words
from unlearn_core.ui.plain import escape

POLL = 2.0
"""Seconds between two looks at a gold that is being trained in the background."""

AT_WORK = (RunState.QUEUED, RunState.RUNNING)


def show(report: Report, run: Run) -> None:
    """Says how the yardstick of this run stands, for as long as something of it is missing or being made."""
    at_work = pending(report, run.id)
    if "gold" in report.evaluations and at_work is None:
        return
    known = reports.parts_of(home(), run.id)
    st.fragment(_card, run_every=None if at_work is None else POLL, key="yardstick")(
        report, run.id, at_work and at_work.id, known
    )


def pending(report: Report, run_id: int) -> Run | None:
    """The unfinished run that will bring this report's gold, or what is measured with it."""
    for run in studio.store().list(kinds=("gold", "measure"), states=AT_WORK):
        if isinstance(run.spec, MeasureSpec) and run.spec.run == run_id:
            return run
        if (
            isinstance(run.spec, GoldSpec)
            and run.spec.request == report.spec.request
            and "gold" not in report.evaluations
        ):
            return run
    return None


def _card(report: Report, run_id: int, before: int | None, known: tuple[str, ...]) -> None:
    at_work = pending(report, run_id)
    if (at_work and at_work.id) != before or reports.parts_of(home(), run_id) != known:
        st.rerun()
    with st.container(border=True):
        if at_work is None:
            _offer(report)
        elif isinstance(at_work.spec, MeasureSpec):
            st.markdown(":shimmer[**The report is being completed**]: what needs gold is measured now.")
        else:
            _training(at_work)


def _training(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("**Gold is on its way.** The third column appears here by itself.", width="content")
        st.page_link(frame.page("run"), label=f"Run {run.id}", query_params={"id": str(run.id)})
    if run.progress is None or not any(phase.done for phase in run.progress.phases):
        waits = studio.store().position(run.id)
        st.caption(
            f"It waits for its turn: {words.counted(waits, 'run')} before it." if waits else "It is next in line."
        )
        return
    done, steps = (sum(getattr(phase, name) for phase in run.progress.phases) for name in ("done", "steps"))
    left = pace.remaining(run.progress, {})
    tail = "" if left is None else f" · {words.about(left)} left"
    waiting = " · waits while something more urgent runs" if run.state is RunState.QUEUED else ""
    st.progress(done / max(steps, 1), text=f"step {done:,} of {steps:,}{tail}{waiting}")


def _offer(report: Report) -> None:
    st.markdown(escape(report.missing.get("gold", "There is no gold for this request yet.")))
    if report.spec.start is not None:
        return  # Its gold would be one that never saw the earlier requests either.
    failed = _failed(report)
    if failed is not None:
        st.markdown(f"The last attempt, run {failed.id}, failed: {escape(failed.error or 'no reason was given.')}")
    passes = report.classifier.recipe.epochs * len(report.split.retain_train)
    seconds, measured = studio.seconds_per_picture()
    cost = words.about(passes * seconds) + ("" if measured else " on a typical CPU")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Train gold in the background ({cost})", icon=":material/diamond:", key="train-gold"):
            what = f"Gold without {report.forgotten}"
            studio.store().submit(GoldSpec(request=report.spec.request), title=what, priority=Priority.BACKGROUND)
            if not studio.store().workers():
                process.start_worker()
            st.rerun()
        with st.popover("On a terminal", icon=":material/terminal:", type="tertiary"):
            st.code(command.gold(report.spec.request, report.dataset), language="bash", wrap_lines=True)
    st.caption("It trains only while nothing more urgent waits, and goes on after an interruption.")


def _failed(report: Report) -> Run | None:
    """The last gold for this request, if it failed."""
    for run in studio.store().list(kinds=("gold",)):
        if isinstance(run.spec, GoldSpec) and run.spec.request == report.spec.request:
            return run if run.state is RunState.FAILED else None
    return None
