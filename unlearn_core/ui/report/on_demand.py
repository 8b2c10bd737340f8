"""Measurements on demand, each too costly for every run: the offer, the progress and the resulting chart."""

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
"""Seconds between two checks of a measurement in progress."""


class OnDemandMeasurement(NamedTuple):
    """A measurement on demand: its id in a MeasureSpec, its chart, and how it is offered."""

    what: Literal["relearn", "score", "lira"]
    chart: Chart
    offer: Callable[[Report, Run], MeasureSpec | None]
    """Shows its purpose and controls, and returns the spec if the button was just pressed."""
    title: Callable[[Run], str]
    needs_update: Callable[[Report], bool]
    """Whether an existing measurement is out of date and should be offered again."""
    steps: str
    """The unit of its progress in the singular: "step"."""
    priority: Priority = Priority.INTERACTIVE


def show(measurement: OnDemandMeasurement, report: Report, run: Run | None) -> None:
    """Show the chart if it was measured, else the offer to measure it, or the progress."""
    if run is None:
        chart_card.show(measurement.chart, [report], key_scope="report")
        return
    waits = _last(measurement, run.id, RunState.QUEUED, RunState.RUNNING) is not None
    st.fragment(_card, run_every=POLL if waits else None, key=measurement.what)(measurement, report, run, waits)


def _card(measurement: OnDemandMeasurement, report: Report, run: Run, waited: bool) -> None:
    pending = _last(measurement, run.id, RunState.QUEUED, RunState.RUNNING)
    if waited and pending is None:
        st.rerun()
    measured = measurement.chart.applies(report) is True
    if measured or (pending is None and measurement.what in {**report.parts, **report.missing}):
        chart_card.show(measurement.chart, [report], key_scope="report")
    else:
        chart_card.heading(measurement.chart)
    if pending is not None:
        worker_status.show(pending, key_scope=measurement.what)
        _working(measurement, pending)
    elif not measured or measurement.needs_update(report):
        _offer(measurement, report, run)


def _offer(measurement: OnDemandMeasurement, report: Report, run: Run) -> None:
    failed = _last(measurement, run.id, RunState.FAILED, RunState.DONE)
    if failed is not None and failed.state is RunState.FAILED:
        st.markdown(f"The last attempt failed: {escape(failed.error or 'no reason was recorded.')}")
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
            "Cancelling" if run.cancelling else "Cancel",
            icon=":material/stop:",
            key=f"cancel-{measurement.what}",
            on_click=cache.store().cancel,
            args=(run.id,),
            disabled=run.cancelling,
        )
    left = time_estimate.remaining(run.progress, {}) if run.progress and steps else None
    tail = "" if left is None else f" · {formatting.format_estimate(left)} left"
    name = measurement.steps
    st.progress(done / max(steps, 1), text=f"{name} {done:,} of {steps:,}{tail}" if steps else f"no {name} done yet")


def _stage_text(run: Run) -> str:
    if run.state is RunState.QUEUED:
        return "**Queued.**"
    stage = run.progress.stage if run.progress else ""
    return f":shimmer[**Measuring**]{f': {escape(stage)}' if stage else ''}"


def _last(measurement: OnDemandMeasurement, run_id: int, *states: RunState) -> Run | None:
    """The newest measurement of this kind and run that is in one of these states."""

    def wanted(other: Run) -> bool:
        return isinstance(other.spec, MeasureSpec) and (other.spec.run, other.spec.what) == (run_id, measurement.what)

    return next(filter(wanted, cache.store().list_runs(kinds=("measure",), states=states)), None)
