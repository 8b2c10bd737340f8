"""Measurements on request, each too costly for every run: the offer, the progress and the resulting chart."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import UNFINISHED_STATES, Run, RunState
from unlearn_core.engine.job import OnDemandMeasurement
from unlearn_core.ui.components import chart_card, cost_estimate, job_card
from unlearn_core.ui.shell import cache, lifespan, navigation, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape


def show(
    measurement: OnDemandMeasurement, report: Report, run: Run | None, draw: Callable[[Report], None] | None = None
) -> None:
    """Show the chart if it was measured, else the offer to measure it, or the progress.

    `draw` shows the chart of a report in another way than as a figure alone.
    """
    chart = charts()[measurement.id]
    draw = draw or partial(_draw, chart)
    if run is None or report.pending:
        draw(report)
        return
    waits = _last(measurement, run.id, *UNFINISHED_STATES) is not None
    st.fragment(_card, run_every=worker_status.POLL_SECONDS if waits else None, key=measurement.id)(
        measurement, chart, report, run, draw, waits
    )


def _draw(chart: Chart, report: Report) -> None:
    chart_card.show(chart, [report], key_scope="report")


def _card(
    measurement: OnDemandMeasurement,
    chart: Chart,
    report: Report,
    run: Run,
    draw: Callable[[Report], None],
    waited: bool,
) -> None:
    pending = _last(measurement, run.id, *UNFINISHED_STATES)
    if waited and pending is None:
        st.rerun()
    measured = chart.applies(report) is True
    if measured or (pending is None and measurement.id in {**report.parts, **report.missing}):
        draw(report)
    else:
        chart_card.heading(chart)
    if pending is not None:
        worker_status.show(pending, key_scope=measurement.id)
        progress = job_card.step_progress(pending, measurement.unit)
        job_card.show(pending, _stage_text(pending), progress, key=f"cancel-{measurement.id}")
    elif not measured or measurement.is_outdated(report):
        _offer(measurement, report, run, again=measured)


def _offer(measurement: OnDemandMeasurement, report: Report, run: Run, *, again: bool) -> None:
    failed = _last(measurement, run.id, RunState.FAILED, RunState.DONE)
    if failed is not None and failed.state is RunState.FAILED:
        st.markdown(f"The last attempt failed: {escape(failed.error or 'no reason was recorded.')}")
        navigation.bug_report(failed.error, key_scope=measurement.id)
    reason = measurement.why_not(report)
    if reason is not None:
        st.markdown(reason)
        return
    st.markdown(measurement.purpose(report))
    count = _choose_count(measurement, report) if measurement.model_counts else 0
    forecast = cost_estimate.workload_forecast(report, measurement.workload(report, count))
    label = f"{measurement.action} again" if again else measurement.action
    models = {"nets": count} if count else {}
    spec = MeasureSpec.model_validate({"run": run.id, "what": measurement.id, **models})
    key, label = f"measure-{measurement.id}", f"{label} ({cost_estimate.in_words(forecast)})"
    refusal = ownership.run_refusal(run)
    pressed = st.button(label, icon=":material/experiment:", key=key, disabled=refusal is not None, help=refusal)
    if cost_estimate.confirmed(forecast, pressed, job=spec.model_dump_json(), key=key):
        title = f"{measurement.title} of run {run.id}"
        cache.store().submit_unique(spec, title=title, parent=run.id, priority=measurement.priority)
        lifespan.ensure_worker()
        st.rerun()


def _choose_count(measurement: OnDemandMeasurement, report: Report) -> int:
    """Show the numbers of models on offer and what the chosen one stands for; return it."""
    count = st.segmented_control(
        measurement.count_label,
        measurement.model_counts,
        default=measurement.model_counts[0],
        required=True,
        key=f"{measurement.id}-nets",
    )
    missing = cost_estimate.golds_to_train(report, measurement.workload(report, count).golds)
    golds = "all of them bundled" if missing == 0 else f"{missing} of which must be trained first"
    st.caption(measurement.models_needed(count, golds))
    return count


def _stage_text(run: Run) -> str:
    if run.state is RunState.QUEUED:
        return "**Queued.**"
    stage = run.progress.stage if run.progress else ""
    return f":shimmer[**Measuring**]{f': {escape(stage)}' if stage else ''}"


def _last(measurement: OnDemandMeasurement, run_id: int, *states: RunState) -> Run | None:
    """The newest measurement of this kind and run that is in one of these states."""

    def wanted(other: Run) -> bool:
        return isinstance(other.spec, MeasureSpec) and (other.spec.run, other.spec.what) == (run_id, measurement.id)

    return next(filter(wanted, cache.store().list_runs(kinds=("measure",), states=states)), None)
