"""What a report still lacks: its progress while the run is being measured, or why the rest was not measured."""

import streamlit as st

from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.probes import probes
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import reports
from unlearn_core.ui.components import job_card, run_bar
from unlearn_core.ui.shell import cache, navigation, worker_status
from unlearn_core.ui.shell.markdown import escape


def show(report: Report, run: Run) -> None:
    """Show what is still to come, with Cancel, until the report has more; or how the run ended before."""
    if run.state.is_finished:
        _show_ended(report, run)
        return
    version = reports.report_version(open_data_dir(), run.id)
    st.fragment(_card, run_every=worker_status.POLL_SECONDS, key="pending")(report, run.id, version)


def still_to_come(report: Report, *, limit: int = 20) -> str:
    """The measurements that are pending, in words; beyond `limit` they are counted."""
    titles = [probes()[name].title for name in report.pending if name in probes()]
    after = report.evaluations.get("after")
    if after is not None and after.evaluated is not None:
        titles.append(f"retained training {report.dataset.item_noun}s")
    return join_words(titles or ["timings"], limit=limit)


def _card(report: Report, number: int, version: tuple[str, ...]) -> None:
    run = cache.store().get(number)
    if run.state.is_finished or reports.report_version(open_data_dir(), number) != version:
        st.rerun()
    if not worker_status.show(run, key_scope="pending"):
        job_card.show_silence(run)
    # Little room, since it goes once all is there.
    with job_card.title_row(f":shimmer[**Still to come:**] :gray[{escape(still_to_come(report, limit=4))}]"):
        job_card.cancel_button(run, key=f"cancel-{number}", effect="What was measured so far stays.")


def _show_ended(report: Report, run: Run) -> None:
    failed = run.state is RunState.FAILED
    how = (run.error or "No reason was recorded.") if failed else "This run was cancelled after its verdict."
    with st.container(border=True):
        st.markdown(":red-badge[:material/error: failed]" if failed else ":gray-badge[:material/stop: cancelled]")
        st.markdown(escape(how))
        st.caption(f"The report is not complete. Not measured: {escape(still_to_come(report))}.")
        with st.container(horizontal=True):
            if st.button("Run again unchanged", icon=":material/replay:", key="same"):
                run_bar.submit(report.spec, run.title)
            navigation.bug_report(run.error, key_scope="run")
