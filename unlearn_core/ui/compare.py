"""Finished runs side by side, on one scale: their settings where they differ, their figures, every chart of all."""

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd
import streamlit as st

from unlearn_core import methods
from unlearn_core.charts import chart as drawn
from unlearn_core.charts import differences
from unlearn_core.domain.errors import UnknownName
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunSpec, RunState
from unlearn_core.store import reports
from unlearn_core.store.home import home
from unlearn_core.ui import beside, chart, downloads, focus, frame, repeats, session, studio
from unlearn_core.ui.plain import escape

MOST = 4
"""Runs that fit beside one another."""
_KEY = "compared"
IDS = "ids"
"""The address's list of runs, as in `?ids=3,5`."""
TABS = {
    "Overview": ("accuracy", "predictions"),
    "Pictures": ("places",),
    "Classes": ("classes", "confusion"),
    "Distance": ("distance", "closeness", "zrf", "cka"),
    "Logits": ("confidence", "margin", "certainty"),
    "Privacy": ("membership", "recognised", "relearn"),
    "Weights": ("layers",),
    "How it went": ("curve", "timing"),
}
"""Which charts stand under a tab, beside what the tab has of its own."""


def show() -> None:
    """The runs to choose from, and what the chosen ones have in common and what not."""
    runs = _finished()
    if len(runs) < 2:
        _unusable(runs)
        _too_few(len(runs))
        return
    chosen = [runs[number] for number in _choose(runs)]
    if len(chosen) < 2:
        _partners(chosen, runs)
        return
    found = [studio.report(run.id, reports.parts_of(home(), run.id)) for run in chosen]
    _links(chosen, found)
    warning = differences.warning(found)
    if warning:
        st.warning(escape(warning), icon=":material/compare_arrows:")
    _settings(found)
    _figures(found)
    repeats.compared(found)
    st.fragment(_charts, key="compared-charts")(found)


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
    _unusable(runs)
    session.follow(_KEY, IDS, lambda _: [number for number in _asked() if number in runs][:MOST])
    picked = st.multiselect(
        "Runs",
        list(runs),
        format_func=lambda number: f"Run {number} · {runs[number].title}",
        max_selections=MOST,
        placeholder="Two to four finished runs",
        key=_KEY,
        label_visibility="collapsed",
    )
    session.say(_KEY, IDS, ",".join(map(str, picked)))
    return picked


def _unusable(runs: dict[int, Run]) -> None:
    """Says of each run that the address names and that cannot be shown why not."""
    said = []
    for number in _asked():
        if number not in runs:
            try:
                run = studio.store().get(number)
            except UnknownName:
                said.append(f"There is no run {number}.")
            else:
                said.append(_why(run))
    over = [number for number in _asked() if number in runs][MOST:]
    if over:
        left = ", ".join(map(str, over))
        said.append(f"No more than {MOST} runs fit beside one another; left out: {left}.")
    if said:
        st.warning(escape(" ".join(said)), icon=":material/search_off:")


def _why(run: Run) -> str:
    """Why a run that exists has nothing to compare."""
    if not isinstance(run.spec, RunSpec):
        return f"Run {run.id} ({run.title}) forgot nothing, so there is nothing to compare."
    if run.state is RunState.FAILED:
        return f"Run {run.id} failed and has no report. {run.error or ''}".strip()
    if run.state is RunState.CANCELLED:
        return f"Run {run.id} was cancelled, so it has no report."
    return f"Run {run.id} is not over yet: it can be compared when it is."


def _partners(chosen: Sequence[Run], runs: dict[int, Run]) -> None:
    """What to do with fewer than two: for a lone run, the latest ones that were asked to forget the same."""
    st.info("Choose two to four runs: they are laid side by side, each in a column of its own.")
    if not chosen:
        return
    asked = chosen[0].spec
    alike = [
        run
        for run in runs.values()
        if isinstance(run.spec, RunSpec)
        and isinstance(asked, RunSpec)
        and run.spec.request == asked.request
        and run.id != chosen[0].id
    ]
    if not alike:
        st.caption("No other run has forgotten the same. Run it again by another method, or choose any run above.")
        return
    st.caption("These forgot the same:")
    for run in alike[:MOST]:
        label = escape(f"Run {run.id} · {run.title}")
        st.button(label, icon=":material/add:", type="tertiary", key=f"add-{run.id}", on_click=_add, args=(run.id,))


def _add(number: int) -> None:
    st.session_state[_KEY] = [*st.session_state[_KEY], number]


def _too_few(count: int) -> None:
    st.markdown(
        "There is nothing to compare yet: it takes two finished runs, and there "
        + ("is one." if count else "are none.")
        + " Run the same request again by another method, or with other settings."
    )
    st.page_link(frame.page("method" if count else "forget"), label="To the lab", icon=":material/tune:")


def _links(runs: Sequence[Run], found: Sequence[Report]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for run in runs:
            st.page_link(
                frame.page("run"),
                label=f"Report of run {run.id}",
                icon=":material/open_in_new:",
                query_params={"id": str(run.id)},
            )
        downloads.several(found, place="compare")


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


def _charts(found: Sequence[Report]) -> None:
    """All charts of all runs, a tab a kind of question, and what is followed through them."""
    st.subheader("Follow one through all runs", anchor=False)
    followed = focus.choose(found)
    focus.table(found, followed)
    st.markdown(chart.legend())
    for tab in st.tabs(list(TABS), key="tab", bind="query-params"):
        if tab.open:
            with tab:
                name = st.session_state["tab"]
                if name == "Pictures":
                    beside.picture(found, followed)
                for one in TABS[name]:
                    beside.show(one, found, followed)
