"""The retrained model (gold) that a report lacks, or a second one: the reason, how to train it, and its progress."""

import streamlit as st

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.run import UNFINISHED_STATES, Run, RunState
from unlearn_core.export import cli_command
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import cost_estimate, gold_actions, job_card
from unlearn_core.ui.shell import cache, lifespan, navigation, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape


def show(report: Report, run: Run, known: tuple[str, ...] | None) -> None:
    """Show what is missing of the reference of this run, or in progress; nothing once it is complete.

    `known` is the version of the report that was read: if a measurement has ended since, it is read again.
    """
    pending = pending_gold_run(report, run.id)
    if pending is None and gold_actions.missing_gold(report) is None and "gold" in report.evaluations:
        return
    st.fragment(_card, run_every=None if pending is None else worker_status.BACKGROUND_POLL_SECONDS, key="yardstick")(
        report, run.id, pending and pending.id, known
    )


def pending_gold_run(report: Report, run_id: int) -> Run | None:
    """The unfinished run that trains the gold this report lacks, or measures with it."""
    wanted = gold_actions.missing_gold(report)
    for run in cache.store().list_runs(kinds=("gold", "measure"), states=UNFINISHED_STATES):
        if run.spec in (MeasureSpec(run=run_id), wanted):
            return run
    return None


def _card(report: Report, run_id: int, before: int | None, known: tuple[str, ...] | None) -> None:
    pending = pending_gold_run(report, run_id)
    if (pending and pending.id) != before or reports.report_version(open_data_dir(), run_id) != known:
        st.rerun()
    wanted = gold_actions.missing_gold(report)
    # A report without a retrained model is incomplete, which a frame emphasises; a second one is optional.
    with st.container(border=pending is not None or "gold" not in report.evaluations):
        if pending is not None:
            worker_status.show(pending, key_scope="yardstick")
        if pending is None:
            _offer(report, run_id, wanted)
        elif isinstance(pending.spec, TrainGoldSpec):
            show_training(pending, pending.spec)
        else:
            st.markdown(
                ":shimmer[**The report is being completed**]: the comparison with the retrained model runs now."
            )


def show_training(run: Run, spec: TrainGoldSpec) -> None:
    """Show the progress of the unfinished run that trains a gold."""
    text = "**A second retrained model is being trained.** The report then also shows how far the two are apart."
    if spec.seed == 0:
        text = "**The retrained model is being trained.** The report is completed automatically."
    with job_card.title_row(text):
        st.page_link(navigation.page("run"), label=f"Run {run.id}", query_params={"id": str(run.id)})
        effect = "Cancels it for all runs that need this retrained model. Finished epochs are stored."
        job_card.cancel_button(run, key="cancel-gold", effect=effect)
    if run.progress is None or not any(phase.done for phase in run.progress.phases):
        st.caption(job_card.queue_position(run))
        return
    share, words = job_card.step_progress(run)
    waiting = " · paused for runs with higher priority" if run.state is RunState.QUEUED else ""
    st.progress(share, text=words + waiting)


def _offer(report: Report, run_id: int, wanted: TrainGoldSpec | None) -> None:
    if "gold" not in report.evaluations:
        st.markdown(escape(report.missing.get("gold", "There is no retrained model for this request yet.")))
    if gold_actions.needs_recipe(report):
        st.page_link(
            navigation.page("classifier"),
            label="Confirm a training recipe for the retrained model",
            query_params={"classifier": report.classifier.id},
        )
        return
    if wanted is None:
        return  # Its gold would have to be trained without the earlier requests' forget sets too.
    if gold_actions.exists(wanted):
        _queue_measuring(run_id, wanted)
        return
    failed = _failed(wanted)
    if failed is not None:
        st.markdown(f"The last attempt, run {failed.id}, failed: {escape(failed.error or 'no reason was recorded.')}")
        navigation.bug_report(failed.error, key_scope="gold")
    apart = "how far the weights of two are apart" if FurtherGolds in report else "how far two are apart"
    offer_training(
        wanted, gold_actions.current_card(report), report.dataset, len(report.split.retain_train), apart=apart
    )


def offer_training(
    wanted: TrainGoldSpec, card: ClassifierCard, dataset: DatasetCard, retain: int, *, apart: str = ""
) -> None:
    """Show the button that queues the training of a gold on `retain` images; `apart` is what a second one shows."""
    forecast = gold_actions.forecast(card, dataset, retain)
    cost = cost_estimate.in_words(forecast)
    label, kind = f"Train the retrained model in the background ({cost})", "secondary"
    if wanted.seed:
        label, kind = f"Train a second retrained model ({cost}) to see {apart}", "tertiary"
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(label, icon=":material/diamond:", key="train-gold", type=kind)
        with st.popover("Command line", icon=":material/terminal:", type="tertiary"):
            st.code(cli_command.gold_command(wanted, dataset), language=None, wrap_lines=True)
    if cost_estimate.confirmed(forecast, pressed, job=wanted.model_dump_json(), key="train-gold"):
        gold_actions.submit(wanted, dataset)
        st.rerun()
    if gold_actions.is_partial(wanted):
        st.caption("Its training was interrupted and resumes there, so it takes less time than that.")
    elif not wanted.seed:
        st.caption("It trains only when no other run is queued, and resumes after an interruption.")


def _queue_measuring(run_id: int, wanted: TrainGoldSpec) -> None:
    """Offer to add a gold that was trained elsewhere after this report was made."""
    which = "A second retrained model" if wanted.seed else "The retrained model"
    refusal, label = _refusal(run_id), f"{which} is available now: add it to this report"
    if st.button(label, icon=":material/diamond:", key="add-gold", disabled=refusal is not None, help=refusal):
        cache.store().submit_unique(
            MeasureSpec(run=run_id), title=f"Add the retrained model to run {run_id}", parent=run_id
        )
        lifespan.ensure_worker()
        st.rerun()


def _refusal(run_id: int) -> str | None:
    return ownership.run_refusal(cache.store().get(run_id))


def _failed(wanted: TrainGoldSpec) -> Run | None:
    """The last training run for this gold, if it failed."""
    for run in cache.store().list_runs(kinds=("gold",)):
        if run.spec == wanted:
            return run if run.state is RunState.FAILED else None
    return None
