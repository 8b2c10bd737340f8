"""The map of features in a report: the maps, and of the images selected there a gallery, logits and Grad-CAM."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from unlearn_core.charts.drawing.wording import MODEL_LABELS
from unlearn_core.charts.report.feature_map import CHART, mapped_models
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.gallery import image_gallery
from unlearn_core.ui.report.explain import is_shipped
from unlearn_core.ui.report.explanation import answer, question
from unlearn_core.ui.report.on_demand import feature_map_component
from unlearn_core.ui.shell import formatting
from unlearn_core.ui.shell.markdown import escape

GALLERY_HEIGHT = 330
MAX_LOGITS = 6
"""The classes with the largest logits that the table of one image has."""


def show(report: Report) -> None:
    """Show the maps of a run, and below them what is selected."""
    chart_card.heading(CHART)
    reason = CHART.applies(report)
    if reason is not True:
        chart_card.explain_absence(reason, height=CHART.height + chart_card.FOOTER_HEIGHT)
        return
    show_maps([report], key=f"feature-map-{report.run}")
    st.caption(CHART.summary(report))
    chart_card.footer(CHART, [report], key_scope="report")
    show_selected([report], key=f"feature-map-{report.run}")


def show_maps(reports: Sequence[Report], *, key: str) -> None:
    """Show the maps of runs with the same images; `key` says whose selection it is."""
    selected = st.session_state.get(_selected_key(key), ())
    feature_map_component.show(
        reports, selected, partial(st.session_state.__setitem__, _selected_key(key)), key=f"{key}-maps"
    )


def show_selected(reports: Sequence[Report], *, key: str) -> None:
    """Show the images that are selected on the maps with this key, and what the models make of the one clicked."""
    selected, report = st.session_state.get(_selected_key(key), ()), reports[0]
    noun = report.dataset.item_noun
    if not selected:
        st.caption(f"The {noun}s that you select on a map appear here, with predictions, logits and Grad-CAM.")
        return
    image = st.session_state.get(_image_key(key))
    image = image if image in selected else None
    listing = feature_map_component.listing(reports, np.array(selected), short=True)
    st.header(formatting.pluralize(len(selected), f"selected {noun}"), anchor=False)
    image_gallery.select_one(
        listing,
        image,
        partial(_choose, key),
        key=f"{key}-gallery",
        label=f"Selected {noun}s with the predictions of each model",
        noun=noun,
        bound=len(report.labels),
        height=GALLERY_HEIGHT,
    )
    if image is None:
        return
    for one in reports:
        _explain(one, image)


def _choose(key: str, image: int) -> None:
    st.session_state[_image_key(key)] = image
    st.session_state["looks"] = {}  # A click repeats a query that failed.


def _explain(report: Report, image: int) -> None:
    """Show the logits of each model for one image, and Grad-CAM where it is available."""
    name = f"{report.dataset.classes[report.labels[image]]}, {report.dataset.item_noun} {image}"
    with st.container(border=True):
        if report.run is not None and not is_shipped(report) and question.heatmap_layers(report):
            spec = ExplainSpec(run=report.run, picture=image, target=int(report.labels[image]))
            answer.show(report, question.request(report, spec))
        elif not question.heatmap_layers(report):
            st.caption(question.no_heatmaps_reason(report))
        else:
            st.caption("This report is bundled with the lab, so Grad-CAM is not available. Run it yourself.")
        st.markdown(f"**Logits of {escape(name)}**")
        st.dataframe(logits_table(report, image), hide_index=True, height="content", alt=f"Logits of {name}")


def logits_table(report: Report, image: int) -> pd.DataFrame:
    """Return the largest logits of one image by class, with those of each model that was evaluated."""
    found = {
        MODEL_LABELS[model]: report.evaluations[model].logits[image].astype(float)
        for model in mapped_models(report)
        if model in report.evaluations
    }
    most = np.max(list(found.values()), axis=0)
    order = np.argsort(-most, kind="stable")[:MAX_LOGITS]
    names = [report.dataset.classes[number] for number in order]
    return pd.DataFrame({"class": names} | {model: values[order].round(2) for model, values in found.items()})


def _selected_key(key: str) -> str:
    return f"{key}-selected"


def _image_key(key: str) -> str:
    return f"{key}-image"
