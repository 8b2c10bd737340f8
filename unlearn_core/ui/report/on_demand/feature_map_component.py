"""The component that draws maps of features: a row for each run, whose images can be pointed at and selected."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from scipy import special
from streamlit.components.v2 import component

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing.theme import Theme, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, percent
from unlearn_core.charts.report.feature_map import class_places, forgotten_labels, mapped_models, plane
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.report import MODEL_TITLES, Report
from unlearn_core.domain.results.features import FeatureMapResult
from unlearn_core.store.image_lists import format_ranges, parse_ranges
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.gallery import image_gallery, listings
from unlearn_core.ui.gallery.listings import Description, Listing, describe
from unlearn_core.ui.shell import drawings

HINT = "Draw a loop around {noun}s to select them; with Shift they are added. Point at one to see it on each map."

SYMBOLS = {"before": "○", "after": "●", "gold": "◆"}
"""The models as in the legend of the page."""

_FRONTEND, _GALLERY = Path(__file__).parent / "frontend", Path(image_gallery.__file__).parent / "frontend"
SCRIPTS = (_GALLERY / "selection.js", _GALLERY / "sheets.js", _FRONTEND / "feature_map.js")
"""The scripts of the component, in the order in which they build on each other: they become one module."""

_component = component(
    "feature-map",
    html=(_FRONTEND / "feature_map.html").read_text(),
    css=(_FRONTEND / "feature_map.css").read_text(),
    js="\n".join(script.read_text() for script in SCRIPTS),
)


def show(
    reports: Sequence[Report], selected: Sequence[int], on_select: Callable[[tuple[int, ...]], None], *, key: str
) -> None:
    """Show the maps of reports that have the same images on them; `on_select` gets the images that are selected.

    Images are places in the data set.
    """
    images, theme = reports[0][FeatureMapResult].images, chart_card.current_theme()
    noun, revision = reports[0].dataset.item_noun, f"{key} revision"

    def pick() -> None:
        picked = st.session_state[key].get("pick")
        try:
            chosen = parse_ranges(picked["images"], upper_bound=len(images)) if picked["images"] else ()
            st.session_state[revision] = int(picked["revision"])
        except (InvalidRequestError, AttributeError, TypeError, KeyError, ValueError):
            st.toast("The map sent a selection that it does not have. Reload the page.")
            return
        on_select(tuple(images[list(chosen)].tolist()))

    fingerprints = [report.fingerprint for report in reports]
    _component(
        key=key,
        data={
            "url": listings.register(listing(reports, images)),
            "drawing": drawings.once(lambda: _drawing(reports, theme), "feature map", theme.name, *fingerprints),
            "selected": format_ranges(np.flatnonzero(np.isin(images, selected)).tolist()),
            "revision": st.session_state.get(revision, 0),
            "total": len(images),
            "noun": noun,
            "hint": HINT.format(noun=noun),
        },
        width="stretch",
        height="content",
        on_pick_change=pick,
    )


def _drawing(reports: Sequence[Report], theme: Theme) -> str:
    """What is drawn, as JSON: the maps of each report, and the colours."""
    titles = report_labels(reports) if len(reports) > 1 else [""]
    colors = {"forget": theme.forget, "retain": with_alpha(theme.before, 0.6), "page": theme.page, "ink": theme.ink}
    rows = [{"title": title, "panels": _panels(report)} for title, report in zip(titles, reports, strict=True)]
    return json.dumps({"rows": rows, "forget": reports[0][FeatureMapResult].num_forget, "colors": colors})


def _panels(report: Report) -> list[dict[str, Any]]:
    result, noun = report[FeatureMapResult], report.dataset.item_noun
    found, forgotten = plane(result), forgotten_labels(report)
    return [
        {
            "title": MODEL_LABELS[model],
            "label": f"Map of the features of {MODEL_TITLES[model]}: {len(result.images)} {noun}s. Arrow keys go from "
            f"{noun} to {noun}, Space selects.",
            "height": found.height,
            "points": found.places[model].round(4).tolist(),
            "names": [
                {
                    "text": report.dataset.classes[label],
                    "x": round(float(place[0]), 4),
                    "y": round(float(place[1]), 4),
                    "strong": label in forgotten,
                }
                for label, place in class_places(report, found.places[model]).items()
            ],
        }
        for model in mapped_models(report)
    ]


def listing(reports: Sequence[Report], images: np.ndarray, *, short: bool = False) -> Listing:
    """Return a list of images with what each model of a run predicts for them, or the unlearned models of several runs.

    `short` lines fit below an image of a gallery: a symbol stands for each model, and probabilities are left out.
    """
    labels, several = report_labels(reports), len(reports) > 1
    shown = [
        (label if several else MODEL_LABELS[model], label if several else SYMBOLS[model], report.evaluations[model])
        for label, report in zip(labels, reports, strict=True)
        for model in mapped_models(report)
        if model in report.evaluations and (not several or model == "after")
    ]
    classes, truth = reports[0].dataset.classes, reports[0].labels

    def describe_all(rows: np.ndarray) -> list[Description]:
        outputs = [special.softmax(one.logits[rows].astype(np.float64), axis=1) for *_, one in shown]
        found = []
        for at, image in enumerate(rows.tolist()):
            predicted = [(classes[own[at].argmax()], percent(float(own[at].max()), 0)) for own in outputs]
            pairs = list(zip(shown, predicted, strict=True))
            whole = [f"{name}: {label} {share}" for (name, *_), (label, share) in pairs]
            brief = [f"{symbol} {label}" for (_, symbol, _), (label, _) in pairs]
            details = f"predictions {', '.join(whole)}" if short else "predictions"
            found.append(describe(f"{classes[truth[image]]} {image}", *(brief if short else whole), details=details))
        return found

    version = f"feature map {short} {' '.join(report.fingerprint for report in reports)}"
    return Listing(reports[0].dataset.id, images, describe_all, version, lines=1 + len(shown))
