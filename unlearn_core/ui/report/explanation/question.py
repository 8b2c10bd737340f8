"""The question of a Grad-CAM query: which class, which layer and which algorithm; and its run in the queue."""

import streamlit as st

from unlearn_core.domain.cam_algorithms import CAM_ALGORITHMS
from unlearn_core.domain.jobs import CamAlgorithm, ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.markdown import escape

ImageInQuestion = int | str
"""A position in the data set, or the name of an uploaded image."""
_PREDICTED = -1
"""Stands for the class that the original model predicts: Streamlit takes None for no choice."""


def heatmap_layers(report: Report) -> list[str]:
    """The layers that Grad-CAM can be computed at: those whose output has height and width."""
    return list(report.classifier.roles.explainable_layers)


def no_heatmaps_reason(report: Report) -> str:
    """Why Grad-CAM is not available for the report's classifier, as Markdown."""
    return f"{escape(report.classifier.title)} has no spatial layers, so Grad-CAM is not available."


def choose(report: Report, run: int, image: ImageInQuestion) -> ExplainSpec:
    """Show the choice of class, layer and algorithm for an image, and return the query."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = _choose_target(report, image)
        layer = _choose_layer(report)
        algorithm = _choose_algorithm()
    card = CAM_ALGORITHMS[algorithm]
    st.markdown(f"**{card.title}.** {card.difference} [{card.paper}]({card.url})")
    picture, upload = (None, image) if isinstance(image, str) else (image, "")
    return ExplainSpec(run=run, picture=picture, upload=upload, target=target, layer=layer, algorithm=algorithm)


def _choose_target(report: Report, image: ImageInQuestion) -> int | None:
    """None is the class that the original model predicts, which only an uploaded image offers."""
    names, uploaded = report.dataset.classes, isinstance(image, str)
    label = _PREDICTED if isinstance(image, str) else int(report.labels[image])

    def name(number: int) -> str:
        if number == _PREDICTED:
            return "Prediction of the original model"
        return names[number] + (" (true class)" if number == label else "")

    options = [*([_PREDICTED] if uploaded else []), *range(len(names))]
    target = st.selectbox(
        "Evidence for the class",
        options,
        index=options.index(label),
        format_func=name,
        key=f"look-target-{'own' if uploaded else image}",
        bind="query-params",
        width=270 if uploaded else 220,
    )
    return None if target == _PREDICTED else target


def _choose_layer(report: Report) -> str | None:
    """None is the layer that the classifier recommends."""
    roles, layers = report.classifier.roles, heatmap_layers(report)
    layer = st.selectbox(
        "Layer",
        layers,
        index=layers.index(roles.cam) if roles.cam in layers else 0,
        format_func=lambda name: name + (" (default)" if name == roles.cam else ""),
        key="look-layer",
        bind="query-params",
        width=180,
        help="Early layers respond to edges and colours and give fine maps; late layers respond to objects and give "
        "coarse maps.",
    )
    return None if layer == roles.cam else layer


def _choose_algorithm() -> CamAlgorithm:
    return st.selectbox(
        "Algorithm",
        list(CAM_ALGORITHMS),
        format_func=lambda name: CAM_ALGORITHMS[name].title,
        key="look-algorithm",
        bind="query-params",
        width=190,
        help="The scales of two algorithms differ: compare models within a row, not algorithms.",
    )


def request(report: Report, spec: ExplainSpec) -> Run:
    """Return the run of a Grad-CAM query: this session's earlier one for the same spec, else a new one."""
    known: dict[str, int] = st.session_state.setdefault("looks", {})
    number = known.get(spec.fingerprint())
    if number is not None:
        return cache.store().get(number)
    what = "an uploaded image" if spec.upload else f"image {spec.picture}"
    known[spec.fingerprint()] = cache.store().submit(spec, title=f"Grad-CAM of {what}, run {report.run}")
    return cache.store().get(known[spec.fingerprint()])
