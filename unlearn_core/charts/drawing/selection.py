"""What is selected on the compare page, a class, a layer or an image, and each run's values for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from unlearn_core.charts.drawing.theme import PlotlyDict
from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult, WeightDistanceResult
from unlearn_core.domain.results.predictions import ConfusionResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.split import set_label

MISSING = "–"


class Selection(NamedTuple):
    """A class and a layer by name, an image by its position in the data set; None where nothing is selected."""

    label: str | None = None
    layer: str | None = None
    image: int | None = None


def selection_rows(reports: Sequence[Report], focus: Selection) -> list[tuple[str, list[str]]]:
    """Each run's values for the selection: per row a title and one text per run."""
    rows: list[tuple[str, list[str]]] = []
    if focus.label is not None:
        rows.append((f"{focus.label}: accuracy, test", [_accuracy_text(one, focus.label) for one in reports]))
        rows.append((f"{focus.label}: mostly predicted as", [_prediction_text(one, focus.label) for one in reports]))
    if focus.layer is not None:
        rows.append((f"{focus.layer}: relative weight change", [_moved(one, focus.layer) for one in reports]))
        rows.append((f"{focus.layer}: CKA with retrained", [_similarity_text(one, focus.layer) for one in reports]))
    if focus.image is not None:
        name = f"{reports[0].dataset.item_noun} {focus.image}"
        rows.append((f"{name}: class and set", [_set_text(one, focus.image) for one in reports]))
        rows.append((f"{name}: prediction", [_predictions_text(one, focus.image) for one in reports]))
        rows.append((f"{name}: membership probability", [_member_text(one, focus.image) for one in reports]))
    return rows


def clicked_selection(point: PlotlyDict, reports: Sequence[Report]) -> Selection:
    """The selection that a clicked point stands for: a class, a layer or an image."""
    given = point.get("customdata")
    # The page sends the rows of an array as dictionaries with their indices as keys.
    given = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list) else [given]
    said = [*given, point.get("x"), point.get("y"), point.get("label")]
    layers = {layer for report in reports for layer in layers_in_charts(report)}
    classes = {name for report in reports for name in report.dataset.classes}
    words = [one for one in said if isinstance(one, str)]
    images = [one for one in given[:1] if isinstance(one, int) and len(given) == 2 and isinstance(given[1], str)]
    if images and given[1] in classes:
        return Selection(image=images[0])
    return Selection(
        label=next((word for word in words if word in classes), None),
        layer=next((word for word in words if word in layers), None),
    )


def layers_in_charts(report: Report) -> list[str]:
    """The layers in a report's charts, from input to output."""
    weights, features = report.get(WeightDistanceResult), report.get(CkaResult)
    if weights is not None:
        return [layer.name for layer in weights.layers]
    return [row.layer for row in features.layers] if features else []


def _accuracy_text(report: Report, label: str) -> str:
    result = report.get(ConfusionResult)
    if result is None or label not in report.dataset.classes:
        return MISSING
    at = report.dataset.classes.index(label)
    if not result.scores["after"][at].total:
        return MISSING
    known = {model: scores[at].accuracy for model, scores in result.scores.items()}
    return f"{percent(known['before'])} → {percent(known['after'])}" + _gold(known, percent)


def _prediction_text(report: Report, label: str) -> str:
    result = report.get(ConfusionResult)
    if result is None or label not in report.dataset.classes:
        return MISSING
    at = report.dataset.classes.index(label)
    said = {model: _most(counts[at], report) for model, counts in result.matrices.items() if model != "before"}
    return said["after"] + (f" · retrained {said['gold']}" if "gold" in said else "")


def _most(counts: np.ndarray, report: Report) -> str:
    whole, most = float(counts.sum()), int(counts.argmax())
    return f"{report.dataset.classes[most]} ({percent(float(counts[most]) / whole, 0)})" if whole else MISSING


def _moved(report: Report, layer: str) -> str:
    result = report.get(WeightDistanceResult)
    pairs = next((own.pairs for own in result.layers if own.name == layer), None) if result else None
    if pairs is None:
        return MISSING
    known = {"after": pairs["before-after"].relative}
    known |= {"gold": pairs["before-gold"].relative} if "before-gold" in pairs else {}
    return (percent(known["after"]) if known["after"] else "unchanged") + _gold(known, percent)


def _similarity_text(report: Report, layer: str) -> str:
    result = report.get(CkaResult)
    before, after = (result.unbiased(pair).get(layer) if result else None for pair in ("before-gold", "after-gold"))
    if before is None or after is None:
        return MISSING
    return f"{number(before, 2)} → {number(after, 2)}"


def _set_text(report: Report, image: int) -> str:
    if image >= len(report.labels):
        return MISSING
    name = next((name for name in report.split._fields if image in getattr(report.split, name)), None)
    if name is None:
        return MISSING
    return f"{report.dataset.classes[report.labels[image]]}, {set_label(name)}"


def _predictions_text(report: Report, image: int) -> str:
    if image >= len(report.labels):
        return MISSING
    said = {}
    for model in ("before", "after", "gold"):
        if model in report.evaluations and report.evaluations[model].covers(np.array([image])):
            logits = report.evaluations[model].logits[image].astype(np.float64)
            share = float(special.softmax(logits).max())
            said[model] = f"{report.dataset.classes[int(logits.argmax())]} {percent(share, 0)}"
    if "before" not in said or "after" not in said:
        return MISSING
    return f"{said['before']} → {said['after']}" + (f" · retrained {said['gold']}" if "gold" in said else "")


def _member_text(report: Report, image: int) -> str:
    result = report.get(MembershipResult)
    if result is None or not result.probabilities:
        return MISSING
    places = np.flatnonzero(result.member_rows == image)
    if not len(places):
        return MISSING
    known = {model: float(values[places[0]]) for model, values in result.probabilities.items()}
    return f"{percent(known['before'], 0)} → {percent(known['after'], 0)}" + _gold(known, lambda one: percent(one, 0))


def _gold(known: Mapping[str, float], text: Callable[[float], str]) -> str:
    return f" · retrained {text(known['gold'])}" if "gold" in known else ""
