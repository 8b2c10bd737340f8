"""Grad-CAM queries: a gallery of the data set, and the heat maps of all models for the image in question."""

import re
from contextlib import suppress
from functools import partial

import numpy as np
import streamlit as st
from scipy import special

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.domain.split import set_label
from unlearn_core.domain.verdicts.report_verdicts import is_judged
from unlearn_core.ui.gallery import image_gallery
from unlearn_core.ui.gallery.listings import Description, Listing, describe
from unlearn_core.ui.report.explanation import answer, question, upload
from unlearn_core.ui.report.explanation.question import ImageInQuestion
from unlearn_core.ui.shell import cache, url_state
from unlearn_core.ui.shell.markdown import escape

IMAGE_PARAM = "picture"
"""The URL parameter of the image in question: its number, or the name of an uploaded one."""

_CLICKED = "look clicked"

SETS = ("forget_test", "forget_train", "retain_test", "retain_train")
"""The sets that the gallery offers, in the order of its switch."""
FORMER_SETS = {
    "forgotten, unseen": "forget set, test",
    "forgotten, trained on": "forget set, training",
    "kept, unseen": "retain set, test",
    "kept, trained on": "retain set, training",
}
"""Today's label of a set by its label in links of former releases."""
ORDERS = {"stored": "As stored", "changed": "Most changed first", "unsure": "Least confident first"}
FORMER_ORDERS = {"Least sure first": "Least confident first"}
"""Today's label of an order by its label in links of former releases."""


def show(report: Report) -> None:
    """Show the gallery of the data set, and above it the heat maps of the image that was clicked."""
    noun = report.dataset.item_noun
    st.header(f"Explore any {noun}", anchor=False)
    if is_shipped(report):
        st.caption(
            "This report is bundled with the lab, so Grad-CAM queries are not available. Run it yourself, then click "
            "any image."
        )
    elif report.pending:
        st.caption(f"Once all is measured, this is a gallery of the {noun}s, each with Grad-CAM maps on request.")
        return
    elif not is_judged(report):
        st.caption(next(report.missing[model] for model in ("before", "after") if model in report.missing))
        return
    elif report.classifier.roles.cam is None:
        st.caption(question.no_heatmaps_reason(report))
    else:
        st.caption("Click an image, or upload one: within about a second you see the Grad-CAM maps of each model.")
    able = not is_shipped(report) and bool(question.heatmap_layers(report))
    with url_state.bound(_key(report), IMAGE_PARAM, default=None, parse=lambda text: _parse_image(report, text)):
        place = st.container()
        picked = upload.show(report) if able else None
        clicked = choose_image(report, able=able, chosen=st.session_state[_key(report)])
        picked = clicked if picked is None else picked
        if picked is not None:
            st.session_state[_key(report)] = picked
            st.session_state["looks"] = {}  # A click repeats a query that failed.
    image = st.session_state[_key(report)]
    if able and image is not None:
        with place:
            _show_explanation(report, image)


def is_shipped(report: Report) -> bool:
    """Whether this report ships with the lab: without the weights of its unlearned model."""
    return report.run is None or report.run < 0


def _parse_image(report: Report, text: str) -> ImageInQuestion | None:
    """The image that is in the URL."""
    if re.fullmatch("[0-9a-f]{64}", text):
        return text
    number, count = url_state.parse_number(text), len(report.labels)
    if number is not None and number < count:
        return number
    st.warning(escape(f"There is no {report.dataset.item_noun} {text[:40]!r}: the last one is {count - 1:,}."))
    return None


def _show_explanation(report: Report, image: ImageInQuestion) -> None:
    assert report.run is not None
    with st.container(border=True):
        spec = question.choose(report, report.run, image)
        answer.show(report, question.request(report, spec))
        if isinstance(image, str):
            st.button(
                "Remove this image",
                icon=":material/delete:",
                type="tertiary",
                key="remove-own-image",
                on_click=_remove,
                args=(report, image),
            )


def _remove(report: Report, image: str) -> None:
    upload.remove(image)
    st.session_state[_key(report)] = None


def choose_image(report: Report, *, able: bool, chosen: ImageInQuestion | None) -> int | None:
    """Show the gallery with the chosen image; return the image that was just clicked, which only `able` allows."""
    clicked: int | None = st.session_state.pop(_CLICKED, None) if able else None
    shown = chosen if clicked is None else clicked
    noun = report.dataset.item_noun
    image_gallery.select_one(
        Listing(
            report.dataset.id,
            _filtered(report),
            partial(_describe, report),
            f"after {report.fingerprint}",
            lines=2 if _true_labels(report) is None else 3,
        ),
        shown if isinstance(shown, int) else None,
        partial(st.session_state.__setitem__, _CLICKED),
        key=gallery_key(report),
        label=f"{noun.capitalize()}s with the prediction of the unlearned model",
        noun=noun,
        bound=len(report.labels),
        hint=image_gallery.ONE_HINT if able else "",
    )
    st.caption(f"Below each {noun}: the prediction of the unlearned model and its confidence.")
    return clicked


def gallery_key(report: Report) -> str:
    """The key of the gallery of a report."""
    return f"look-gallery-{report.run}"


def _key(report: Report) -> str:
    return f"look-{report.run}"


def _filtered(report: Report) -> np.ndarray:
    """Show the filters and return the chosen images as positions in the data set."""
    after = report.evaluations["after"]
    known = (name for name in SETS if len(getattr(report.split, name)) and after.covers(getattr(report.split, name)))
    sets = {name: set_label(name) for name in known}
    url_state.accept_former_labels("look-set", FORMER_SETS)
    url_state.accept_former_labels("look-order", FORMER_ORDERS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Set",
            list(sets),
            default=next(iter(sets)),
            format_func=sets.__getitem__,
            required=True,
            wrap=True,
            key="look-set",
            bind="query-params",
        )
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="look-order", width=220, bind="query-params"
        )
    rows = getattr(report.split, name)
    return rows[_ranked(report, rows, order)]


def _ranked(report: Report, rows: np.ndarray, order: str) -> np.ndarray:
    after = _probabilities(report, "after", rows)
    if order == "changed":
        true = np.arange(len(rows)), report.labels[rows]
        return np.argsort(-np.abs(after[true] - _probabilities(report, "before", rows)[true]), kind="stable")
    return np.argsort(after.max(1), kind="stable") if order == "unsure" else np.arange(len(rows))


def _probabilities(report: Report, model: str, rows: np.ndarray) -> np.ndarray:
    """A model's softmax outputs (images, classes)."""
    return special.softmax(report.evaluations[model].logits[rows].astype(np.float64), axis=1)


def _true_labels(report: Report) -> np.ndarray | None:
    """The true labels (N,) of a data set that is still there and has wrong ones."""
    with suppress(UnlearnError):
        return cache.image_dataset(report.dataset.id).true_labels
    return None


def _describe(report: Report, images: np.ndarray) -> list[Description]:
    """The class of each image, and the unlearned model's prediction with its confidence."""
    names, found, true = report.dataset.classes, [], _true_labels(report)
    for image, output in zip(images.tolist(), _probabilities(report, "after", images), strict=True):
        name, prediction = names[report.labels[image]], f"{names[output.argmax()]} {100 * output.max():.0f} %"
        lines = [f"{name} {image}", f"→ {prediction}"]
        if true is not None:
            lines.append("" if true[image] == report.labels[image] else f"true: {names[true[image]]}")
        found.append(describe(*lines, details="prediction of the unlearned model"))
    return found
