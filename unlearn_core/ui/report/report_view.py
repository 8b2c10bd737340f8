"""The report of a run: one screen that answers the question, then the details in tabs, as far as they are measured."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.chart import SECTIONS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.run import Run, run_name
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.report import missing_gold, pending, repeats, report_downloads, report_opening, report_section
from unlearn_core.ui.server import urls
from unlearn_core.ui.shell import copy_link, formatting, navigation, ownership, url_state
from unlearn_core.ui.shell.markdown import escape


def show(report: Report, run: Run | None, group: Sequence[Run] = (), version: tuple[str, ...] | None = None) -> None:
    """Show the report of a run; `run` is None for one that ships.

    `group` is the run with its repeats, and `version` that of the folder, as they were before the report was read.
    """
    _head(report, run)
    report_opening.show(report)
    if run is not None and report.pending:
        pending.show(report, run)
    elif run is not None:
        repeats.show_progress(run, list(group))
        missing_gold.show(report, run, version)
    st.fragment(_tabs, key="report")(report, run)


def _head(report: Report, run: Run | None) -> None:
    st.caption(_caption(report, run))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(
            f"Forget *{escape(report.forget_set_title)}* with {escape(report.method)}", anchor=False, width="content"
        )
        with st.container(horizontal=True, width="content", gap="small"):
            if st.button("Change and run again", icon=":material/fork_right:", key="again"):
                url_state.load_spec(report.spec)
                url_state.open_page("method")
            if (
                report.run is not None
                and not report.pending
                and st.button("Compare", icon=":material/compare_arrows:", key="compare")
            ):
                st.switch_page(navigation.page("compare"), query_params=urls.comparison_params([report.run]))
            if run is not None and not report.pending:
                if st.button(
                    "All methods",
                    icon=":material/leaderboard:",
                    key="all-methods",
                    help="Every method on this forget request, in one table and one chart.",
                ):
                    url_state.open_comparison(report.spec)
                repeats.offer_repeats(report, run)
            if run is not None:
                ownership.share_button(run)
                ownership.pin_button(run)
            copy_link.copy_link_button("report")
            st.button(
                "Present",
                icon=":material/slideshow:",
                key="present",
                on_click=_present,
                help="One chart a screen, in large type. The arrow keys turn the pages, Esc leaves.",
            )
            if run is None or run.state.is_finished:
                report_downloads.show(report)
    if run is not None and run.note:
        st.caption(f":material/edit_note: {escape(run.note)}")


def _present() -> None:
    url_state.set_param(navigation.PRESENT_PARAM, "1")
    url_state.set_param(navigation.FROM_PARAM, st.session_state.get("tab", ""))


def _caption(report: Report, run: Run | None) -> str:
    if run is None:
        first = "A finished run, bundled with the lab"
        first = first if report.run is None else f"{run_name(report.run)} · {first[0].lower()}{first[1:]}"
    else:
        # The page stays as it is for long, so a moment is named, not how long ago it was.
        moment = run.finished and formatting.format_moment(run.finished, st.context.timezone)
        ended = f"finished {moment}" if moment else "being measured"
        first = f"Run {run.id}{ownership.byline(run)} · {ended}"
    timings = report.get(TimingsResult)
    took = f" · {formatting.format_duration(timings.seconds.total)} on {timings.device}" if timings else ""
    return f"{first}{took} · seed {report.spec.seed}"


def _tabs(report: Report, run: Run | None) -> None:
    with report_section.open_tab(SECTIONS) as section:
        st.markdown(chart_card.legend())
        report_section.show(section, report, run)
