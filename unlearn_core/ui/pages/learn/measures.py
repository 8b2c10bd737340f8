"""The page of measurements: for each its question, method and limits, taken from its own file, and an example."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.engine.measuring.measurement_infos import MeasurementInfo, measurement_infos
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

MISLABELLED_CLASSIFIER = "resnet8-mislabelled"
DEFAULT_MEASURE = "distance"
"""The measurement that the page opens with: the number that is shown everywhere."""

FORMER_TITLES = {
    "Where the model looks": "cam",
    "Features, layer by layer (CKA)": "cka",
    "Closeness to gold": "closeness",
    "Class by class": "confusion",
    "Distance to gold": "distance",
    "Weights, layer by layer": "layers",
    "Answers to the forgotten pictures": "predictions",
    "The map of answers": "regions",
    "Likeness to an untrained net (ZRF)": "zrf",
    "The challenge's score": "score",
    "Shadow nets (LiRA)": "lira",
    "Relearning": "relearn",
    "NeurIPS score": "score",
    "Shadow models (LiRA)": "lira",
}
"""The titles of measurements in links of a former release, and their parts."""


def show() -> None:
    """The measurements to choose from, and the chosen one, which is also in the URL."""
    known = measurement_infos(charts())
    ordered = sorted(known, key=lambda name: (name != DEFAULT_MEASURE, known[name].title))
    url_state.accept_former_labels("measure", {former: known[part].title for former, part in FORMER_TITLES.items()})
    name = st.pills(
        "Measurement",
        ordered,
        default=DEFAULT_MEASURE,
        required=True,
        format_func=lambda part: known[part].title,
        key="measure",
        bind="query-params",
        label_visibility="collapsed",
    )
    words, figure = st.columns([1, 1.3], gap="large")
    with words:
        _explain(known[name])
    with figure, navigation.show_errors():
        _example(name)


def _explain(measure: MeasurementInfo) -> None:
    st.header(measure.question, anchor=False)
    for paragraph in measure.paragraphs:
        st.markdown(paragraph)
    st.markdown(f"**What it does not say.** {measure.caveat}")


def _example(part: str) -> None:
    many = part in ("score", "lira", "klom")
    report = cache.ensemble_example() if many else cache.example()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**A real run: forget {escape(report.forget_set_title)} with {escape(report.method)}**", width="content"
        )
        if not many:
            st.page_link(
                navigation.page("run"),
                label="Open its report",
                icon=":material/arrow_forward:",
                query_params={"id": "example"},
            )
    drawn = charts_of(part, report)
    for one in drawn:
        chart_card.show(one, [report], key_scope="measures", neighbour=False)
    if part in report.parts or part != InterclassConfusionResult.part:
        if not drawn:
            st.caption(escape(_unavailable_reason(part, report)))
        return
    st.caption("All labels of this run's data set are right. A classifier that learned wrong ones ships too:")
    st.page_link(
        navigation.page("forget"),
        label="Forget wrong labels",
        icon=":material/label:",
        query_params={"classifier": MISLABELLED_CLASSIFIER, "images": ""},
    )


def charts_of(part: str, report: Report) -> Sequence[Chart]:
    """The charts that need only this part of a report."""
    if part not in report.parts:
        return []
    lean = replace(report, parts={part: report.parts[part]})
    return [one for one in charts().values() if one.applies(lean) is True]


def _unavailable_reason(part: str, report: Report) -> str:
    if part in report.parts:
        return "This measurement has no chart of its own: the report shows it with the images."
    return report.missing.get(part, "This run was made before this measurement existed. New runs have it.")
