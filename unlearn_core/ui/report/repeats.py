"""Repeats of a run from other seeds: the offer, the progress, and the mean over seeds with its interval."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing.seed_statistics import metric_values, t_interval
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.charts.report import seeds
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.engine.forecasts.here import of_report
from unlearn_core.ui.components import chart_card, cost_estimate, job_card
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape

SEED_CHOICES = (2, 4, 9)
"""Numbers of further seeds on offer: three, five or ten in all."""
_MENU, _IS_SUBMITTED = "repeat menu", "repeats are submitted"


def offer_repeats(report: Report, run: Run | None) -> None:
    """Show the button that repeats a run, with its cost."""
    if run is None:
        return
    if st.session_state.pop(_IS_SUBMITTED, False):  # Else the menu would stay open over the verdicts.
        st.session_state[_MENU] = False
    with st.popover("Repeat", icon=":material/casino:", key=_MENU, on_change="rerun"):
        st.markdown("**Repeat the run from other seeds** to see how much is due to chance.")
        more = st.segmented_control(
            "More seeds", SEED_CHOICES, default=SEED_CHOICES[0], required=True, key="repeat-count", format_func=_more
        )
        each = of_report(report, cache.store())
        forecast = None if each is None else each.times(more)
        pressed = st.button("Repeat it", type="primary", icon=":material/play_arrow:", key="repeat")
        cost = "" if forecast is None else f"It takes {cost_estimate.in_words(forecast)}. "
        st.caption(f"{cost}Repeats run when no other run is queued. You can close this page.")
        if cost_estimate.confirmed(forecast, pressed, job=(run.id, more), key="repeat"):
            cache.store().repeats.submit(run, more)
            lifespan.ensure_worker()
            st.session_state[_IS_SUBMITTED] = True
            st.rerun()


def _more(count: int) -> str:
    return f"{count} more"


def show_progress(run: Run, group: list[Run]) -> None:
    """Show how many seeds are done while some are unfinished; the page updates itself with each.

    `group` is the run with its repeats as they were before the report was read: a seed that ended since then is
    noticed here, and the report is read again.
    """
    if any(not own.state.is_finished for own in group):
        st.fragment(_progress, run_every=worker_status.BACKGROUND_POLL_SECONDS, key="repeats")(run, _done(group))


def _done(group: list[Run]) -> int:
    return sum(own.state is RunState.DONE for own in group)


def _progress(run: Run, before: int) -> None:
    group = cache.store().repeats.runs_of(run)
    waiting = [own for own in group if not own.state.is_finished]
    if _done(group) != before or not waiting:
        st.rerun()
    worker_status.show(*waiting, key_scope="repeats")
    text = f":material/casino: **{before} of {len(group)} seeds are done.** The others run in the background."
    with job_card.title_row(text, border=True):
        st.page_link(navigation.page("history"), label="History", icon=":material/history:", query_params={})
        own = ownership.own_runs(waiting)
        st.button(
            "Cancel repeats",
            icon=":material/stop:",
            key="cancel-repeats",
            on_click=_cancel,
            args=(own,),
            disabled=not own,
            help=None if own else ownership.run_refusal(*waiting),
        )


def _cancel(runs: list[Run]) -> None:
    for run in runs:
        cache.store().cancel(run.id)


def show_failed(report: Report) -> None:
    """Warn of seeds that failed: the means leave them out, which flatters the method."""
    lost = _failed(report.run) if report.run is not None and report.run > 0 else []
    if lost:
        reason = f"Run {lost[0].id} (seed {_seed(lost[0])}): {lost[0].error or 'no reason was recorded.'}"
        st.warning(
            f"{formatting.pluralize(len(lost), 'seed')} failed and {'is' if len(lost) == 1 else 'are'} not in the "
            f"means. {escape(reason)}",
            icon=":material/casino:",
        )


def show_means(report: Report) -> None:
    """Show every mean over seeds with its interval."""
    noun = report.dataset.item_noun
    st.header("Mean over seeds", anchor=False)
    st.dataframe(interval_table(report), hide_index=True, height="content", alt="Means over seeds with their intervals")
    st.caption(
        f"The interval (Student's t, 95 %) is for the mean over seeds. It does not cover other {noun}s: the "
        f"intervals in the charts below are over {noun}s, for this run's seed alone."
    )


def _failed(number: int) -> list[Run]:
    store = cache.store()
    return [own for own in store.repeats.runs_of(store.get(number)) if own.state is RunState.FAILED]


def _seed(run: Run) -> int | None:
    return run.spec.seed if isinstance(run.spec, UnlearnSpec) else None


def interval_table(report: Report) -> pd.DataFrame:
    """One row per metric: the mean over seeds, its 95 % t-interval, and the lowest and highest seed."""
    rows = []
    for name, values in metric_values(report).items():
        share = name.startswith("accuracy")
        write = percent if share else _plain
        stats = t_interval(values)
        low, high = max(0.0, stats.low), min(1.0, stats.high) if share else stats.high
        rows.append(
            {
                "metric": name,
                "mean": write(stats.mean),
                "95 % interval": f"{write(low)} – {write(high)}",
                "seeds": f"{write(stats.lowest)} – {write(stats.highest)}",
            }
        )
    return pd.DataFrame(rows)


def _plain(value: float) -> str:
    return number(value, 3 if value < 10 else 1)


def show_comparison(reports: Sequence[Report]) -> None:
    """Show the chart over seeds for several runs on one scale; nothing if none of them was repeated."""
    able = [report for report in reports if seeds.CHART.applies(report) is True]
    if not able:
        return
    chart_card.heading(seeds.CHART)
    chart_card.draw_figure(seeds.CHART, able, key_scope="compare")
    for report, name in zip(reports, report_labels(reports), strict=True):
        reason = seeds.CHART.applies(report)
        text = seeds.CHART.summary(report) if reason is True else reason
        st.caption(f"**{escape(name)}**: {escape(text)}")
    chart_card.footer(seeds.CHART, able, key_scope="compare")
