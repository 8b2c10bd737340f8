"""Measurements that one must ask for, since each costs more than all else: offered, followed, cancelled, shown."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import streamlit as st

from unlearn_core.charts.chart import Chart
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.ui.components import chart_card, time_estimate
from unlearn_core.ui.shell import cache, formatting, lifespan, worker_status
from unlearn_core.ui.shell.markdown import escape

POLL = 1.0
"""Seconds between two looks at a measurement while it is at work."""


class OnDemandMeasurement(NamedTuple):
    """One such measurement: what it is in a spec, the chart that shows it, and how it is offered."""

    what: Literal["relearn", "score", "lira"]
    chart: Chart
    offer: Callable[[Report, Run], MeasureSpec | None]
    """Says what it is good for and shows its controls; the spec where somebody has just asked for it."""
    title: Callable[[Run], str]
    needs_update: Callable[[Report], bool]
    """Whether a measurement that is there should be offered anew."""
    steps: str
    """What its progress counts, one of them: "step"."""
    priority: Priority = Priority.INTERACTIVE


def show(measurement: OnDemandMeasurement, report: Report, run: Run | None) -> None:
    """The chart where it was measured, else how to have it measured, and how far that is."""
    if run is None:
        chart_card.show(measurement.chart, [report], key_scope="report")
        return
    waits = _last(measurement, run.id, RunState.QUEUED, RunState.RUNNING) is not None
    st.fragment(_card, run_every=POLL if waits else None, key=measurement.what)(measurement, report, run, waits)


def _card(measurement: OnDemandMeasurement, report: Report, run: Run, waited: bool) -> None:
    at_work = _last(measurement, run.id, RunState.QUEUED, RunState.RUNNING)
    if waited and at_work is None:
        st.rerun()
    there = measurement.what in report.parts
    if there or (at_work is None and measurement.what in report.missing):
        chart_card.show(measurement.chart, [report], key_scope="report")
    else:
        st.subheader(measurement.chart.title, anchor=False)
        st.caption(measurement.chart.question)
    if at_work is not None:
        worker_status.of(at_work, place=measurement.what)
        _working(measurement, at_work)
    elif not there or measurement.needs_update(report):
        _offer(measurement, report, run)


def _offer(measurement: OnDemandMeasurement, report: Report, run: Run) -> None:
    failed = _last(measurement, run.id, RunState.FAILED, RunState.DONE)
    if failed is not None and failed.state is RunState.FAILED:
        st.markdown(f"The last attempt failed: {escape(failed.error or 'no reason was given.')}")
    spec = measurement.offer(report, run)
    if spec is not None:
        cache.store().submit_unique(spec, title=measurement.title(run), parent=run.id, priority=measurement.priority)
        lifespan.ensure_worker()
        st.rerun()


def _working(measurement: OnDemandMeasurement, run: Run) -> None:
    phases = run.progress.phases if run.progress else ()
    done, steps = (sum(getattr(phase, name) for phase in phases) for name in ("done", "steps"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(_stage_text(run), width="content")
        st.button(
            "Stopping" if run.cancelling else "Cancel",
            icon=":material/stop:",
            key=f"cancel-{measurement.what}",
            on_click=cache.store().cancel,
            args=(run.id,),
            disabled=run.cancelling,
        )
    left = time_estimate.remaining(run.progress, {}) if run.progress and steps else None
    tail = "" if left is None else f" · {formatting.format_estimate(left)} left"
    name = measurement.steps
    st.progress(done / max(steps, 1), text=f"{name} {done:,} of {steps:,}{tail}" if steps else f"no {name} made yet")


def _stage_text(run: Run) -> str:
    if run.state is RunState.QUEUED:
        return "**It waits for its turn.**"
    doing = run.progress.stage if run.progress else ""
    return f":shimmer[**Measuring**]{f': {escape(doing)}' if doing else ''}"


def _last(measurement: OnDemandMeasurement, run_id: int, *states: RunState) -> Run | None:
    """The newest measurement of this kind about a run that is in one of these states."""

    def wanted(one: Run) -> bool:
        return isinstance(one.spec, MeasureSpec) and (one.spec.run, one.spec.what) == (run_id, measurement.what)

    return next(filter(wanted, cache.store().list_runs(kinds=("measure",), states=states)), None)
