"""Can it be brought back? Asked for on the report's page, since it costs more than all else that is measured."""

import streamlit as st

from unlearn_core.charts import relearn
from unlearn_core.domain.relearn import pictures
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import MeasureSpec, Run, RunState
from unlearn_core.ui import chart, pace, plan, process, studio, words
from unlearn_core.ui.plain import escape

POLL = 1.0
"""Seconds between two looks at the measurement while it is at work."""

MODELS = ("after", "gold", "fresh")


def show(report: Report, run: Run | None) -> None:
    """The chart where it was measured, else how to have it measured, and how far that is."""
    if run is None:
        chart.show(relearn.CHART, [report], place="report")
        return
    waits = _last(run.id, RunState.QUEUED, RunState.RUNNING) is not None
    st.fragment(_card, run_every=POLL if waits else None, key="relearn")(report, run, waits)


def _card(report: Report, run: Run, waited: bool) -> None:
    at_work = _last(run.id, RunState.QUEUED, RunState.RUNNING)
    if waited and at_work is None:
        st.rerun()
    there = relearn.PART in report.parts
    if there or (at_work is None and relearn.PART in report.missing):
        chart.show(relearn.CHART, [report], place="report")
    else:
        st.subheader(relearn.CHART.title, anchor=False)
    if at_work is not None:
        _working(at_work)
    elif not there or _is_old(report):
        _offer(report, run, "Measure it" if not there else "Measure it again, with gold this time")


def _is_old(report: Report) -> bool:
    """Whether gold came after the measurement."""
    return "gold" in report.evaluations and "gold" not in report.parts[relearn.PART].facts["models"]


def _offer(report: Report, run: Run, label: str) -> None:
    nets = "Copies of it, of gold and of" if "gold" in report.evaluations else "Without gold yet, copies of it and of"
    st.markdown(
        f"An accuracy of nought does not say that a net has forgotten. {nets} a net that knows nothing are taught a "
        "few of the forgotten pictures again: what is back sooner than in gold was not gone."
    )
    failed = _last(run.id, RunState.FAILED, RunState.DONE)
    if failed is not None and failed.state is RunState.FAILED:
        st.markdown(f"The last attempt failed: {escape(failed.error or 'no reason was given.')}")
    if st.button(f"{label} ({_cost(report)})", icon=":material/history_edu:", key="measure-relearn"):
        spec = MeasureSpec(run=run.id, what="relearn")
        studio.store().order(spec, title=f"Teach run {run.id} again what it forgot", parent=run.id)
        process.see_to_it()
        st.rerun()


def _cost(report: Report) -> str:
    """Three nets are taught, or two where there is no gold, in as many draws as there are."""
    taught, asked = pictures(
        [model for model in MODELS if model != "gold" or "gold" in report.evaluations],
        len(report.split.forget_val) or max(1, len(report.split.forget_train) // 2),
    )
    speed = studio.seconds_per_picture(report.classifier.id, "gold", "unlearn")
    return f"{words.about((taught + plan.MEASURED * asked) * speed.seconds)} {speed.where}"


def _working(run: Run) -> None:
    phases = run.progress.phases if run.progress else ()
    done, steps = (sum(getattr(phase, name) for phase in phases) for name in ("done", "steps"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(_doing(run), width="content")
        st.button(
            "Stopping" if run.cancelling else "Cancel",
            icon=":material/stop:",
            key="cancel-relearn",
            on_click=studio.store().cancel,
            args=(run.id,),
            disabled=run.cancelling,
        )
    left = pace.remaining(run.progress, {}) if run.progress and steps else None
    tail = "" if left is None else f" · {words.about(left)} left"
    st.progress(done / max(steps, 1), text=f"step {done:,} of {steps:,}{tail}" if steps else "no step made yet")


def _doing(run: Run) -> str:
    if run.state is RunState.QUEUED:
        return "**It waits for its turn.**"
    doing = run.progress.doing if run.progress else ""
    now = f": {'a fresh net' if doing == 'fresh' else doing}" if doing in MODELS else ""
    return f":shimmer[**Taught again**]{now}"


def _last(run_id: int, *states: RunState) -> Run | None:
    """The newest measurement of this kind about a run that is in one of these states."""
    wanted = MeasureSpec(run=run_id, what="relearn")
    found = (one for one in studio.store().list(kinds=("measure",), states=states) if one.spec == wanted)
    return next(found, None)
