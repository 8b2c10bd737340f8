"""Heat maps as rows of images: the image, one map per model, and the difference after − gold."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.heatmap_overlay import colorize, colorize_difference, upscale
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.result import ReportPart

_GONE, _WEAKER, _GROWN = 0.3, 0.75, 1.25
"""Peaks as a share of before: below these the evidence is gone, or weaker; above the last it has grown."""


class HeatmapCell(NamedTuple):
    """An image (H, W, 3) uint8, ready to be shown, and its caption."""

    image: np.ndarray
    caption: str


class HeatmapRow(NamedTuple):
    """The heat maps of one image: its title, what the maps show in words, and the cells from left to right."""

    title: str
    words: str
    cells: tuple[HeatmapCell, ...]
    forgotten: bool


def heatmap_rows(report: Report, part: ReportPart | None = None) -> list[HeatmapRow]:
    """The images with their maps, forget images first.

    `part` is another part of the same shape, such as the result of a Grad-CAM query; it defaults to the report's own.
    Cells are the image, one map per model, and after − gold where there is gold.
    """
    part = report.parts["cam"] if part is None else part
    made = [_row(report, part, place, card) for place, card in enumerate(part.facts["cards"])]
    return sorted(made, key=lambda row: not row.forgotten)


def aligned_rows(results: Sequence[tuple[str, Report, ReportPart]]) -> list[HeatmapRow]:
    """The heat maps of one image in several runs, one row per run on one scale; each row starts with the run's name.

    Every part has one card, like the result of a Grad-CAM query, all for the same image, class, layer and algorithm.
    """
    top = max(float(drawn.max()) for _, _, part in results for drawn in _maps(part, 0).values())
    made = [(name, _row(report, part, 0, part.facts["cards"][0], top=top)) for name, report, part in results]
    return [row._replace(title=f"{name}: {row.title}", words=f"{name}. {row.words}") for name, row in made]


def part_for_image(report: Report, image: int) -> ReportPart | None:
    """The report's heat maps of one image, as a part of its own; None if the report has none for this image."""
    part = report.parts.get("cam")
    cards = part.facts["cards"] if part else []
    place = next((place for place, card in enumerate(cards) if card["picture"] == image), None)
    if part is None or place is None:
        return None
    arrays = {name: values[place : place + 1] for name, values in part.arrays.items()}
    return ReportPart({**part.facts, "cards": [cards[place]]}, arrays)


def _maps(part: ReportPart, place: int) -> dict[str, np.ndarray]:
    known = part.facts["cards"][place]["models"]
    return {model: part.arrays[model][place].astype(float) for model in MODELS if model in known}


def _row(report: Report, part: ReportPart, place: int, card: dict[str, Any], *, top: float | None = None) -> HeatmapRow:
    """`top` is the strongest value of the scale; without it this row has a scale of its own."""
    image, maps = upscale(part.arrays["pictures"][place]), _maps(part, place)
    top = max(float(drawn.max()) for drawn in maps.values()) if top is None else top
    top = top or 1.0  # No evidence anywhere: all maps stay dark.
    classes, forgotten = report.dataset.classes, card["set"].startswith("forget")
    what = f"{classes[card['label']]}, {'forget' if forgotten else 'retain'} set"
    cells = [HeatmapCell(image, what)]
    for model, drawn in maps.items():
        output = card["models"][model]
        predicted = f"{classes[output['predicted']]} {percent(output['probability'], 0)}"
        cells.append(HeatmapCell(colorize(image, drawn / top), f"{MODEL_LABELS[model]} · {predicted}"))
    if {"after", "gold"} <= maps.keys():
        gap = (maps["after"] - maps["gold"]) / top
        cells.append(HeatmapCell(colorize_difference(image, gap), "after − retrained"))
    title = capitalize(what)
    if part.facts.get("algorithm") == "eigencam":
        return HeatmapRow(f"{title}, class-independent", _response(card), tuple(cells), forgotten)
    if card["target"] != card["label"]:
        title += f", evidence for {classes[card['target']]}"
    return HeatmapRow(title, _words(card, classes[card["target"]]), tuple(cells), forgotten)


def _response(card: dict[str, Any]) -> str:
    """How the strongest response changed, where the algorithm concerns no class."""
    peaks = {model: output["peak"] for model, output in card["models"].items()}
    if not peaks["before"] or "after" not in peaks:
        return "This is what the layer responds to most, whatever the class."
    gold = f"; retrained: {peaks['gold'] / peaks['before']:.2f}" if "gold" in peaks else ""
    return (
        "This is what the layer responds to most, whatever the class. The peak after is "
        f"{peaks['after'] / peaks['before']:.2f} of before{gold}."
    )


def _words(card: dict[str, Any], target: str) -> str:
    """How the evidence for the target class changed, from the maps' highest values."""
    peaks = {model: output["peak"] for model, output in card["models"].items()}
    if not peaks["before"]:
        grown = "There is some after." if peaks.get("after") else "There is none after either."
        return f"There was no evidence for {target} before. {grown}"
    if "after" not in peaks:
        return f"The highest evidence for {target} is {peaks['before']:.2f}."
    after = peaks["after"] / peaks["before"]
    if after < _GONE:
        said, verb = f"The evidence for {target} is gone.", "fell"
    elif after < _WEAKER:
        said, verb = f"The evidence for {target} is weaker.", "fell"
    elif after <= _GROWN:
        said, verb = f"The evidence for {target} is still there.", "came"
    else:
        said, verb = f"The evidence for {target} has grown.", "rose"
    gold = f"; retrained: {peaks['gold'] / peaks['before']:.2f}" if "gold" in peaks else ""
    return f"{said} The peak {verb} to {after:.2f} of before{gold}."
