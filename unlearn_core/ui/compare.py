"""Finished runs side by side, on one scale: their settings where they differ, their figures, every chart of both."""

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd
import streamlit as st

from unlearn_core import methods
from unlearn_core.charts import chart as drawn
from unlearn_core.charts import charts, differences
from unlearn_core.charts.chart import Chart
from unlearn_core.domain.errors import UnknownName
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunSpec, RunState
from unlearn_core.store import reports
from unlearn_core.store.home import home
from unlearn_core.ui import chart, frame, studio
from unlearn_core.ui.plain import escape

MOST = 4
"""Runs that fit beside one another."""
IDS = "ids"
"""The address's list of runs, as in `?ids=3,5`."""
SHOWN = (
    "accuracy",
    "predictions",
    "distance",
    "closeness",
    "classes",
    "confidence",
    "membership",
    "layers",
    "curve",
    "timing",
)
"""Charts that are drawn for all runs on one scale."""


def show() -> None:
    """The runs to choose from, and what the chosen ones have in common and what not."""
    runs = _finished()
    if len(runs) < 2:
        _too_few(len(runs))
        return
    chosen = [runs[number] for number in _choose(runs)]
    if len(chosen) < 2:
        st.info("Choose two to four runs: they are laid side by side, each in a column of its own.")
        return
    found = [studio.report(run.id, reports.parts_of(home(), run.id)) for run in chosen]
    _links(chosen)
    warning = differences.warning(found)
    if warning:
        st.warning(escape(warning), icon=":material/compare_arrows:")
    _settings(found)
    _figures(found)
    for name in SHOWN:
        _draw(charts()[name], found)


def address(runs: Sequence[Run]) -> dict[str, str]:
    """The query parameters under which these runs are compared."""
    return {IDS: ",".join(str(run.id) for run in runs)}


def _asked() -> list[int]:
    """The numbers in the address."""
    words = st.query_params.get(IDS, "").split(",")
    return list(dict.fromkeys(int(one) for one in words if one.isascii() and one.isdecimal() and len(one) < 10))


def _finished() -> dict[int, Run]:
    """The newest finished runs, and those that the address names, however old they are."""
    runs = {run.id: run for run in studio.store().list(kinds=("unlearn",), states=(RunState.DONE,))}
    for number in _asked():
        if number not in runs:
            with suppress(UnknownName):
                run = studio.store().get(number)
                runs |= {number: run} if isinstance(run.spec, RunSpec) and run.state is RunState.DONE else {}
    return runs


def _choose(runs: dict[int, Run]) -> list[int]:
    """The runs' numbers, from the address at first and from the list afterwards; the address follows."""
    known = [number for number in _asked() if number in runs]
    lost = [f"{number}" for number in _asked() if number not in runs]
    if lost:
        st.warning(f"No finished run has the number {' or '.join(lost)}.", icon=":material/search_off:")
    picked = st.multiselect(
        "Runs",
        list(runs),
        default=known[:MOST],
        format_func=lambda number: f"Run {number} · {runs[number].title}",
        max_selections=MOST,
        placeholder="Two to four finished runs",
        key="compared",
        label_visibility="collapsed",
    )
    st.query_params.update({IDS: ",".join(map(str, picked))})
    return picked


def _too_few(count: int) -> None:
    st.markdown(
        "There is nothing to compare yet: it takes two finished runs, and there "
        + ("is one." if count else "are none.")
        + " Run the same request again by another method, or with other settings."
    )
    st.page_link(frame.page("method" if count else "forget"), label="To the lab", icon=":material/tune:")


def _links(runs: Sequence[Run]) -> None:
    with st.container(horizontal=True):
        for run in runs:
            st.page_link(
                frame.page("run"),
                label=f"Report of run {run.id}",
                icon=":material/open_in_new:",
                query_params={"id": str(run.id)},
            )


def _settings(found: Sequence[Report]) -> None:
    st.subheader("What differs in the settings?", anchor=False)
    rows = differences.settings(found, {report.spec.method: _knobs(report) for report in found})
    if not rows:
        st.caption("Nothing: these runs are the same in every setting.")
        return
    names = drawn.names(found)
    st.dataframe(
        pd.DataFrame([{"setting": title, **dict(zip(names, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        alt="The settings in which the runs differ, one column a run",
    )
    if len({report.spec.method for report in found}) > 1:
        st.caption("Knobs that only one of the methods has stand in its report, under Details.")


def _knobs(report: Report) -> dict[str, str]:
    """What the knobs of a run's method are called."""
    return {name: one.title for name, one in methods.method(report.spec.method).params.knobs().items()}


def _figures(found: Sequence[Report]) -> None:
    st.subheader("What came of it?", anchor=False)
    st.dataframe(
        differences.figures(found),
        hide_index=True,
        height="content",
        alt="Figures before and after each run and of gold, side by side",
    )
    st.caption(
        "Accuracies before → after, in brackets the 95 % interval (Wilson). Differences are those of after, ± half "
        "of their 95 % interval; nets that were asked the same pictures are compared picture by picture."
    )
    said = [differences.sentence(found[0], other) for other in found[1:]]
    names = drawn.names(found)
    for name, words in zip(names[1:], said, strict=True):
        st.caption(f"**{escape(name)}** beside **{escape(names[0])}**: {words}")


def _draw(one: Chart, found: Sequence[Report]) -> None:
    """One chart for all runs that have something to show in it, and for each its own sentence."""
    able = [report for report in found if one.applies(report) is True]
    if not able:
        return
    st.subheader(one.title, anchor=False)
    chart.draw(one, able, place="compare")
    for report, name in zip(found, drawn.names(found), strict=True):
        answer = one.applies(report)
        st.caption(f"**{escape(name)}**: {one.sentence(report) if answer is True else escape(answer)}")
    chart.foot(one, able, place="compare")
