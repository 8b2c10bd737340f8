"""The third column while it is missing, and the second gold: why, how to get it, and how far its training is."""

import streamlit as st

from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.export import cli_command
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import gold_actions, time_estimate
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, worker_status
from unlearn_core.ui.shell.markdown import escape

POLL = 2.0
"""Seconds between two looks at a gold that is being trained in the background."""

UNFINISHED_STATES = (RunState.QUEUED, RunState.RUNNING)


def show(report: Report, run: Run) -> None:
    """Says how the yardstick of this run stands, for as long as something of it is missing or being made."""
    at_work = pending_gold_run(report, run.id)
    if at_work is None and gold_actions.missing_gold(report) is None and "gold" in report.evaluations:
        return
    known = reports.report_version(open_data_dir(), run.id)
    st.fragment(_card, run_every=None if at_work is None else POLL, key="yardstick")(
        report, run.id, at_work and at_work.id, known
    )


def pending_gold_run(report: Report, run_id: int) -> Run | None:
    """The unfinished run that will bring the gold which this report lacks, or what is measured with it."""
    wanted = gold_actions.missing_gold(report)
    for run in cache.store().list_runs(kinds=("gold", "measure"), states=UNFINISHED_STATES):
        if run.spec in (MeasureSpec(run=run_id), wanted):
            return run
    return None


def _card(report: Report, run_id: int, before: int | None, known: tuple[str, ...]) -> None:
    at_work = pending_gold_run(report, run_id)
    if (at_work and at_work.id) != before or reports.report_version(open_data_dir(), run_id) != known:
        st.rerun()
    wanted = gold_actions.missing_gold(report)
    # A report without its third column is half a report, and says so in a frame; a second gold is an extra.
    with st.container(border=at_work is not None or "gold" not in report.evaluations):
        if at_work is not None:
            worker_status.of(at_work, place="yardstick")
        if at_work is None:
            _offer(report, run_id, wanted)
        elif isinstance(at_work.spec, TrainGoldSpec):
            _training(at_work, at_work.spec)
        else:
            st.markdown(":shimmer[**The report is being completed**]: what needs gold is measured now.")


def _training(run: Run, spec: TrainGoldSpec) -> None:
    said = "**A second gold is on its way.** How far two golds are apart is added to the report by itself."
    if spec.seed == 0:
        said = "**Gold is on its way.** The third column appears here by itself."
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(said, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.page_link(navigation.page("run"), label=f"Run {run.id}", query_params={"id": str(run.id)})
            st.button(
                "Stopping" if run.cancelling else "Cancel",
                icon=":material/stop:",
                key="cancel-gold",
                help="For everybody who waits for this gold. What is trained so far is kept.",
                on_click=cache.store().cancel,
                args=(run.id,),
                disabled=run.cancelling,
            )
    if run.progress is None or not any(phase.done for phase in run.progress.phases):
        waits = cache.store().queue_position(run.id)
        st.caption(
            f"It waits for its turn: {formatting.pluralize(waits, 'run')} before it."
            if waits
            else "It is next in line."
        )
        return
    done, steps = (sum(getattr(phase, name) for phase in run.progress.phases) for name in ("done", "steps"))
    left = time_estimate.remaining(run.progress, {})
    tail = "" if left is None else f" · {formatting.format_estimate(left)} left"
    waiting = " · waits while something more urgent runs" if run.state is RunState.QUEUED else ""
    st.progress(done / max(steps, 1), text=f"step {done:,} of {steps:,}{tail}{waiting}")


def _offer(report: Report, run_id: int, wanted: TrainGoldSpec | None) -> None:
    if "gold" not in report.evaluations:
        st.markdown(escape(report.missing.get("gold", "There is no gold for this request yet.")))
    if gold_actions.needs_recipe(report):
        st.page_link(
            navigation.page("classifier"),
            label="Confirm a recipe, so that gold can be trained",
            query_params={"classifier": report.classifier.id},
        )
        return
    if wanted is None:
        return  # Its gold would be one that never saw the earlier requests either.
    if gold_actions.exists(wanted):
        _queue_measuring(run_id, wanted)
        return
    failed = _failed(wanted)
    if failed is not None:
        st.markdown(f"The last attempt, run {failed.id}, failed: {escape(failed.error or 'no reason was given.')}")
    _request_gold(report, wanted)


def _request_gold(report: Report, wanted: TrainGoldSpec) -> None:
    cost = gold_actions.cost(report)
    label, kind = f"Train gold in the background ({cost})", "secondary"
    if wanted.seed:
        label, kind = f"Train a second gold ({cost}): it tells how far two golds are apart", "tertiary"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(label, icon=":material/diamond:", key="train-gold", type=kind):
            gold_actions.submit(wanted, report.dataset)
            st.rerun()
        with st.popover("On a terminal", icon=":material/terminal:", type="tertiary"):
            st.code(cli_command.gold_command(wanted, report.dataset), language="bash", wrap_lines=True)
    if gold_actions.is_partial(wanted):
        st.caption("Its training was stopped, and goes on from there: it takes less than all of that.")
    elif not wanted.seed:
        st.caption("It trains only while nothing more urgent waits, and goes on after an interruption.")


def _queue_measuring(run_id: int, wanted: TrainGoldSpec) -> None:
    """A gold that was finished after this report was made, and not by a run that this one waited for."""
    which = "A second gold" if wanted.seed else "Gold"
    if st.button(f"{which} is there by now: add it to this report", icon=":material/diamond:", key="add-gold"):
        cache.store().submit_unique(MeasureSpec(run=run_id), title=f"Add gold to run {run_id}", parent=run_id)
        lifespan.ensure_worker()
        st.rerun()


def _failed(wanted: TrainGoldSpec) -> Run | None:
    """The last run for this gold, if it failed."""
    for run in cache.store().list_runs(kinds=("gold",)):
        if run.spec == wanted:
            return run if run.state is RunState.FAILED else None
    return None
