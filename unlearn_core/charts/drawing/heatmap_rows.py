"""Pictures asked of every model, as rows of images: the picture, a map for each model, and after less gold."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.heatmap_overlay import colorize, colorize_difference, upscale
from unlearn_core.charts.drawing.wording import capitalize, percent
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import MODELS, Report

_GONE, _WEAKER, _GROWN = 0.3, 0.75, 1.25
"""Peaks as a share of before: below these the evidence is gone, or weaker; above the last it has grown."""


class HeatmapCell(NamedTuple):
    """A picture (H, W, 3) uint8, ready to be shown, and what stands beneath it."""

    image: np.ndarray
    caption: str


class HeatmapRow(NamedTuple):
    """One picture asked of every model: what it is, what the maps say in words, and the cells from left to right."""

    title: str
    words: str
    cells: tuple[HeatmapCell, ...]
    forgotten: bool


def heatmap_rows(report: Report, part: ReportPart | None = None) -> list[HeatmapRow]:
    """The pictures with their maps, forgotten ones first.

    `part` is another part of the same shape, such as a look's answer; else it is the report's own. Cells are the
    picture, one a model, and after − gold where there is gold.
    """
    part = report.parts["cam"] if part is None else part
    made = [_row(report, part, place, card) for place, card in enumerate(part.facts["cards"])]
    return sorted(made, key=lambda row: not row.forgotten)


def aligned_rows(results: Sequence[tuple[str, Report, ReportPart]]) -> list[HeatmapRow]:
    """One picture asked of several runs, a row each, all maps of all runs on one scale; each begins with its name.

    Every part has one card, as a look's answer has, and all are about the same picture, class, layer and algorithm.
    """
    top = max(float(drawn.max()) for _, _, part in results for drawn in _maps(part, 0).values())
    made = [(name, _row(report, part, 0, part.facts["cards"][0], top=top)) for name, report, part in results]
    return [row._replace(title=f"{name}: {row.title}", words=f"{name}. {row.words}") for name, row in made]


def part_for_image(report: Report, image: int) -> ReportPart | None:
    """What the report's own part says of one picture, as a part of its own; None where it was not among those asked."""
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
    picture, maps = upscale(part.arrays["pictures"][place]), _maps(part, place)
    top = max(float(drawn.max()) for drawn in maps.values()) if top is None else top
    top = top or 1.0  # No evidence anywhere: all maps stay dark.
    classes, forgotten = report.dataset.classes, card["set"].startswith("forget")
    what = f"a {'forgotten' if forgotten else 'kept'} {classes[card['label']]}"
    cells = [HeatmapCell(picture, what)]
    for model, drawn in maps.items():
        answer = card["models"][model]
        said = f"{classes[answer['predicted']]} {percent(answer['probability'], 0)}"
        cells.append(HeatmapCell(colorize(picture, drawn / top), f"{model} · {said}"))
    if {"after", "gold"} <= maps.keys():
        gap = (maps["after"] - maps["gold"]) / top
        cells.append(HeatmapCell(colorize_difference(picture, gap), "after − gold"))
    title = capitalize(what)
    if part.facts.get("algorithm") == "eigencam":
        return HeatmapRow(f"{title}, asked for no class", _response(card), tuple(cells), forgotten)
    if card["target"] != card["label"]:
        title += f", asked for {classes[card['target']]}"
    return HeatmapRow(title, _words(card, classes[card["target"]]), tuple(cells), forgotten)


def _response(card: dict[str, Any]) -> str:
    """What became of the strongest response, where the algorithm asks about no class."""
    peaks = {model: answer["peak"] for model, answer in card["models"].items()}
    if not peaks["before"] or "after" not in peaks:
        return "This is what the layer responds to most. No class was asked for."
    gold = f"; gold's is {peaks['gold'] / peaks['before']:.2f}" if "gold" in peaks else ""
    return (
        "This is what the layer responds to most. No class was asked for. The peak after is "
        f"{peaks['after'] / peaks['before']:.2f} of before{gold}."
    )


def _words(card: dict[str, Any], target: str) -> str:
    """What became of the evidence for the target class, from the maps' highest values."""
    peaks = {model: answer["peak"] for model, answer in card["models"].items()}
    if not peaks["before"]:
        grown = "There is some now." if peaks.get("after") else "There is none now either."
        return f"Nothing in it spoke for {target} before. {grown}"
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
    gold = f"; gold's is {peaks['gold'] / peaks['before']:.2f}" if "gold" in peaks else ""
    return f"{said} The peak {verb} to {after:.2f} of before{gold}."
