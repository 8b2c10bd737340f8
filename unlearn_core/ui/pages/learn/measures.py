"""Every measure from its own file: what it asks, how it is made, what it does not say, and an example of it."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import NamedTuple

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart
from unlearn_core.domain import relearn_protocol
from unlearn_core.domain.report import Report
from unlearn_core.plugins import discover
from unlearn_core.probes import probes
from unlearn_core.probes.common import likelihood_ratio, neurips_score
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, navigation
from unlearn_core.ui.shell.markdown import escape

DEFAULT_MEASURE = "distance"
"""The measure that the page opens with: the one number that stands everywhere."""


class MeasureInfo(NamedTuple):
    """One kind of measurement: the part of a report that holds it, and the module that says how it is made."""

    part: str
    title: str
    question: str
    caveat: str
    module: ModuleType

    @property
    def paragraphs(self) -> list[str]:
        """What the measure's own file says of it, paragraph by paragraph: formula and source with it."""
        return (inspect.getdoc(self.module) or "").split("\n\n")


def measures() -> dict[str, MeasureInfo]:
    """What is measured in every run, and what somebody must ask for, by their parts."""
    files = discover("probes")
    every = {
        name: MeasureInfo(name, probe.title, probe.question, probe.caveat, files[name])
        for name, probe in probes().items()
    }
    asked = {
        "relearn": ("Relearning", relearn_protocol),
        "score": ("The challenge's score", neurips_score),
        "lira": ("Shadow nets (LiRA)", likelihood_ratio),
    }
    return every | {
        name: MeasureInfo(name, title, charts()[name].question, charts()[name].caveat, module)
        for name, (title, module) in asked.items()
    }


def show() -> None:
    """The measures to choose from, and the chosen one; the address holds which."""
    shelf = measures()
    ordered = sorted(shelf, key=lambda name: (name != DEFAULT_MEASURE, shelf[name].title))
    name = st.pills(
        "Measure",
        ordered,
        default=DEFAULT_MEASURE,
        required=True,
        format_func=lambda one: shelf[one].title,
        key="measure",
        bind="query-params",
        label_visibility="collapsed",
    )
    words, figure = st.columns([1, 1.3], gap="large")
    with words:
        _explain(shelf[name])
    with figure, navigation.show_errors():
        _example(name)


def _explain(measure: MeasureInfo) -> None:
    st.subheader(measure.question, anchor=False)
    for paragraph in measure.paragraphs:
        st.markdown(paragraph)
    st.markdown(f"**What it does not say.** {measure.caveat}")


def _example(part: str) -> None:
    many = part in ("score", "lira")
    report = cache.ensemble_example() if many else cache.example()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**A real run: forget {escape(report.forget_set_title)} with {escape(report.method)}**", width="content"
        )
        if not many:
            st.page_link(
                navigation.page("run"),
                label="Its report",
                icon=":material/arrow_forward:",
                query_params={"id": "example"},
            )
    drawn = charts_of(part, report)
    for one in drawn:
        chart_card.show(one, [report], key_scope="measures", neighbour=False)
    if not drawn:
        st.caption(escape(_unavailable_reason(part, report)))


def charts_of(part: str, report: Report) -> Sequence[Chart]:
    """The charts that need nothing but this part of a report."""
    if part not in report.parts:
        return []
    lean = replace(report, parts={part: report.parts[part]})
    return [one for one in charts().values() if one.applies(lean) is True]


def _unavailable_reason(part: str, report: Report) -> str:
    if part in report.parts:
        return "No chart is drawn from this alone: the report shows it with its pictures."
    return report.missing.get(part, "This run was made before this measure was. Runs from now on have it.")
