"""The comparison of all methods on one request, while its runs go on and afterwards."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from unlearn_core.charts.comparison import method_results
from unlearn_core.charts.comparison.method_results import MethodResults
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.results.privacy import AttackMetrics, MembershipResult
from unlearn_core.domain.run import UNFINISHED_STATES, Run, RunState
from unlearn_core.engine.setup import why_no_gold
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts, reports
from unlearn_core.ui.components import chart_card, gold_actions, job_card
from unlearn_core.ui.pages.methods import method_plan, result_views
from unlearn_core.ui.pages.methods.method_plan import MethodPlan
from unlearn_core.ui.report import missing_gold
from unlearn_core.ui.shell import cache, copy_link, formatting, navigation, ownership, url_state, worker_status
from unlearn_core.ui.shell.markdown import escape


def show(plan: MethodPlan) -> None:
    """The page of a comparison, which updates itself while one of its runs is unfinished."""
    busy = bool(_unfinished(plan, plan.runs()))
    interval = worker_status.BACKGROUND_POLL_SECONDS if busy else None
    st.fragment(_board, run_every=interval, key="comparison")(plan, busy)


def _unfinished(plan: MethodPlan, runs: Mapping[str, Run]) -> list[Run]:
    """The unfinished runs of methods, the training of the retrained model, and the measurements that follow it."""
    numbers = {run.id for run in runs.values()}
    others = cache.store().list_runs(kinds=("gold", "measure"), states=UNFINISHED_STATES)
    gold = TrainGoldSpec(request=plan.forget_request)
    return [run for run in runs.values() if not run.state.is_finished] + [
        run
        for run in others
        if run.spec == gold
        or (isinstance(run.spec, MeasureSpec) and run.spec.what == "new" and run.spec.run in numbers)
    ]


def _board(plan: MethodPlan, was_busy: bool) -> None:
    chart_card.open_clicked_run()
    runs = plan.runs()
    unfinished = _unfinished(plan, runs)
    has_gold = plan.gold is not None and gold_actions.exists(plan.gold)
    if bool(unfinished) != was_busy or has_gold:
        st.rerun()
    done = {title: run for title, run in runs.items() if run.state is RunState.DONE}
    st.caption(_caption(plan, runs, len(done)))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(f"All methods on *{escape(plan.forgotten)}*", anchor=False, width="content")
        row = st.container(horizontal=True, width="content", vertical_alignment="bottom", gap="small")
    question = st.container()
    with row:
        _buttons(plan, runs, unfinished, question)
    if plan.request.error is not None:
        st.warning(escape(plan.request.error), icon=":material/block:")
    if unfinished:
        worker_status.show(*unfinished, key_scope="comparison")
    if runs or unfinished or plan.gold is None:  # Before the first run, one button queues both.
        _gold(plan, unfinished)
    _progress(runs)
    if done:
        result_views.show(_results(plan, done))
    elif not unfinished:
        st.markdown("No method has a result on this request yet.")
        if plan.request.error is None:
            st.markdown(method_plan.cost(plan))
    _without_result(plan, runs)
    if done:
        searched = any(spec.auto for spec in plan.specs.values())
        st.markdown(method_results.caveat(plan.request.dataset.item_noun, searched=searched))


def _caption(plan: MethodPlan, runs: Mapping[str, Run], done: int) -> str:
    setup = plan.request.setup
    start = "" if setup.start is None else f", after run {setup.start}"
    parts = [f"{escape(plan.request.classifier.title)}{start}", f"seed {setup.seed}"]
    parts.append(f"{done} of {formatting.pluralize(len(plan.specs), 'method')} done")
    for state in (RunState.RUNNING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED):
        count = sum(run.state is state for run in runs.values())
        parts += [f"{count} {state.value}"] if count else []
    return " · ".join(parts)


def _buttons(plan: MethodPlan, runs: dict[str, Run], unfinished: list[Run], question: DeltaGenerator) -> None:
    if method_plan.is_incomplete(plan, runs):
        method_plan.offer(plan.request.setup, primary=True, question=question)
    own = ownership.own_runs(unfinished)
    if own:
        st.button(
            "Cancel all",
            icon=":material/stop:",
            key="comparison-cancel",
            help="Cancels every unfinished run and the training of the retrained model. Finished runs stay.",
            on_click=_cancel,
            args=(own,),
            disabled=all(run.cancelling for run in own),
        )
    if st.button("Change the request", icon=":material/fork_right:", key="comparison-change"):
        setup = plan.request.setup
        url_state.change(**{name: getattr(setup, name) for name in _REQUEST_FIELDS})
        url_state.open_page("forget")
    copy_link.copy_link_button("comparison")


_REQUEST_FIELDS = ("classifier", "dataset", "by", "classes", "images", "seed", "start")


def _cancel(runs: list[Run]) -> None:
    for run in runs:
        cache.store().cancel(run.id)


def _gold(plan: MethodPlan, unfinished: list[Run]) -> None:
    """The retrained model, if it is missing: its training, or why there is none and how to get one."""
    setup, card = plan.request.setup, plan.request.classifier
    training = next((run for run in unfinished if isinstance(run.spec, TrainGoldSpec)), None)
    if training is not None and isinstance(training.spec, TrainGoldSpec):
        with st.container(border=True):
            missing_gold.show_training(training, training.spec)
        return
    if plan.gold is None and setup.start is None and card.recipe is not None:  # It exists.
        measuring = sum(isinstance(run.spec, MeasureSpec) for run in unfinished)
        if measuring:
            what = formatting.pluralize(measuring, "report")
            st.markdown(f":shimmer[**{what} to be completed**] by the comparison with the retrained model.")
        return
    with st.container(border=True):
        st.markdown(escape(why_no_gold(plan.forget_request, setup.start, card)))
        if card.recipe is None:
            st.page_link(
                navigation.page("classifier"),
                label="Confirm a training recipe for the retrained model",
                query_params={"classifier": card.id},
            )
        elif plan.gold is not None and plan.request.remaining is not None:
            (last,) = cache.store().method_runs.runs_of([plan.gold])
            if last is not None and last.state is RunState.FAILED:
                st.markdown(f"The last attempt, run {last.id}, failed: {escape(last.error or NO_REASON)}")
                navigation.bug_report(last.error, key_scope="gold")
            missing_gold.offer_training(plan.gold, card, plan.request.dataset, len(plan.request.remaining.retain_train))


NO_REASON = "no reason was recorded."


def _progress(runs: Mapping[str, Run]) -> None:
    """A bar for each running method, and the names of those that are queued."""
    for title, run in runs.items():
        if run.state is RunState.RUNNING:
            share, words = job_card.step_progress(run)
            stage = f"{escape(run.progress.stage)} · " if run.progress else ""
            st.progress(share, text=f"**{escape(title)}** · {stage}{words}")
    queued = [title for title, run in runs.items() if run.state is RunState.QUEUED]
    if queued:
        st.caption(f"Queued: {escape(', '.join(queued))}. You can close this page: the runs continue.")


def _results(plan: MethodPlan, done: Mapping[str, Run]) -> MethodResults:
    (gold_run,) = cache.store().method_runs.runs_of([TrainGoldSpec(request=plan.forget_request)])
    folder = open_data_dir()
    attacks = {run.id: _attacks(str(folder), run.id, reports.report_version(folder, run.id)) for run in done.values()}
    return method_results.method_results(
        done, attacks, forgotten=plan.forgotten, noun=plan.request.dataset.item_noun, gold_run=gold_run
    )


@st.cache_data(show_spinner=False, max_entries=500)
def _attacks(folder: str, run: int, version: tuple[str, ...]) -> dict[str, AttackMetrics]:
    """The metrics of the table's attack on each model of a run; `version` changes with its report."""
    return method_results.attacks(artifacts.read_result(artifacts.run_dir(open_data_dir(), run), MembershipResult))


def _without_result(plan: MethodPlan, runs: Mapping[str, Run]) -> None:
    """Methods that failed, were cancelled, were never run, or cannot be, each with its sentence."""
    lines = [
        f"**{escape(title)}** ({_link(run)}) failed: {escape(run.error or NO_REASON)}"
        for title, run in runs.items()
        if run.state is RunState.FAILED
    ]
    cancelled = [f"{escape(title)} ({_link(run)})" for title, run in runs.items() if run.state is RunState.CANCELLED]
    lines += [f"Cancelled: {', '.join(cancelled)}."] if cancelled else []
    never = [title for title in plan.specs if title not in runs]
    lines += [f"Not run yet: {escape(', '.join(never))}."] if never and runs else []
    lines += [f":gray[{escape(reason)}]" for reason in plan.left_out.values()]
    if lines:
        if runs:
            st.header("Without a result", anchor=False)
        st.markdown("\n".join(f"* {line}" for line in lines))


def _link(run: Run) -> str:
    return f"[run {run.id}](run?id={run.id})"
