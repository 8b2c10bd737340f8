"""The same run from other seeds: asking for them, how many are done, and what they say together."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from unlearn_core.charts.chart import report_names
from unlearn_core.charts.drawing.seed_statistics import metric_values, t_interval
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.charts.report import seeds
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, worker_status
from unlearn_core.ui.shell.markdown import escape

POLL = 2.0
"""Seconds between two looks at repeats that are not done."""
SEED_CHOICES = (2, 4, 9)
"""How many more seeds one may ask for: three, five or ten in all where there is one."""


def offer_repeats(report: Report, run: Run | None) -> None:
    """The button that repeats a run, with what it costs."""
    if run is None:
        return
    with st.popover("Repeat", icon=":material/casino:"):
        st.markdown("**The same again from other seeds**, to see how much is chance.")
        more = st.segmented_control(
            "More seeds", SEED_CHOICES, default=SEED_CHOICES[0], required=True, key="repeat-count", format_func=_more
        )
        if st.button("Repeat it", type="primary", icon=":material/play_arrow:", key="repeat"):
            cache.store().repeats.submit(run, more)
            lifespan.ensure_worker()
            st.rerun()
        each = report.parts["timings"].facts["seconds"]["total"] if "timings" in report.parts else None
        cost = (
            "" if each is None else f"{formatting.format_estimate(more * each).capitalize()} if they go like this one. "
        )
        st.caption(f"{cost}They run when nobody waits for something else, and need no page to be open.")


def _more(count: int) -> str:
    return f"{count} more"


def show_progress(run: Run | None) -> None:
    """How many seeds are done, while some are not; the page draws itself again with each that is."""
    if run is None:
        return
    group = cache.store().repeats.runs_of(run)
    if any(not own.state.is_finished for own in group):
        st.fragment(_progress, run_every=POLL, key="repeats")(run, _done(group))


def _done(group: list[Run]) -> int:
    return sum(own.state is RunState.DONE for own in group)


def _progress(run: Run, before: int) -> None:
    group = cache.store().repeats.runs_of(run)
    waiting = [own for own in group if not own.state.is_finished]
    if _done(group) != before or not waiting:
        st.rerun()
    worker_status.of(*waiting, place="repeats")
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":material/casino: **{before} of {len(group)} seeds are done.** The others go on by themselves.",
            width="content",
        )
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.page_link(navigation.page("history"), label="History", icon=":material/history:", query_params={})
            st.button("Cancel them", icon=":material/stop:", key="cancel-repeats", on_click=_cancel, args=(waiting,))


def _cancel(runs: list[Run]) -> None:
    for run in runs:
        cache.store().cancel(run.id)


def show(report: Report) -> None:
    """What the seeds say together: the chart, and every mean with its interval. Nothing where there is one seed.

    Seeds that failed are named: they are not in the mean, and it is the better for that.
    """
    lost = [] if report.run is None else _failed(report.run)
    if lost:
        said = f"Run {lost[0].id} (seed {_seed(lost[0])}): {lost[0].error or 'it gave no reason.'}"
        st.warning(
            f"{formatting.pluralize(len(lost), 'seed')} failed and {'is' if len(lost) == 1 else 'are'} in no mean. "
            f"{escape(said)}",
            icon=":material/casino:",
        )
    if seeds.CHART.applies(report) is not True:
        return
    left, right = st.columns(2, gap="large")
    with left:
        chart_card.show(seeds.CHART, [report], key_scope="report")
    with right:
        st.subheader("The mean over seeds", anchor=False)
        st.dataframe(
            interval_table(report), hide_index=True, height="content", alt="Means over seeds with their intervals"
        )
        st.caption(
            "The interval (Student's t, 95 %) is for the mean over seeds. It says nothing about other pictures: the "
            "intervals in the charts below are over pictures, for this run's seed alone."
        )


def _failed(number: int) -> list[Run]:
    store = cache.store()
    return [own for own in store.repeats.runs_of(store.get(number)) if own.state is RunState.FAILED]


def _seed(run: Run) -> int | None:
    return run.spec.seed if isinstance(run.spec, UnlearnSpec) else None


def interval_table(report: Report) -> pd.DataFrame:
    """One row a figure: the mean over seeds, its 95 % t-interval, and the lowest and highest seed."""
    rows = []
    for name, values in metric_values(report).items():
        share = name.startswith("accuracy")
        said = percent if share else _plain
        own = t_interval(values)
        low, high = max(0.0, own.low), min(1.0, own.high) if share else own.high
        rows.append(
            {
                "figure": name,
                "mean": said(own.mean),
                "95 % interval": f"{said(low)} – {said(high)}",
                "seeds": f"{said(own.lowest)} – {said(own.highest)}",
            }
        )
    return pd.DataFrame(rows)


def _plain(value: float) -> str:
    return number(value, 3 if value < 10 else 1)


def show_comparison(reports: Sequence[Report]) -> None:
    """The same for several runs side by side, on one scale: those that were repeated. Nothing where none was."""
    able = [report for report in reports if seeds.CHART.applies(report) is True]
    if not able:
        return
    st.subheader(seeds.CHART.title, anchor=False)
    st.caption(seeds.CHART.question)
    chart_card.draw_figure(seeds.CHART, able, key_scope="compare")
    own = dict(zip((report.run for report in reports), report_names(reports), strict=True))
    for report in reports:
        answer = seeds.CHART.applies(report)
        said = seeds.CHART.summary(report) if answer is True else answer
        st.caption(f"**{escape(own[report.run])}**: {escape(said)}")
    chart_card.footer(seeds.CHART, able, key_scope="compare")
