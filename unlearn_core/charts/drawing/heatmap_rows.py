"""Heat maps as rows of images: the image, one map per model, and differences between them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unlearn_core.charts.drawing.heatmap_overlay import colorize, colorize_difference, upscale
from unlearn_core.charts.drawing.wording import MODEL_LABELS, capitalize, join_words, percent
from unlearn_core.domain.cam_algorithms import CAM_ALGORITHMS
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage

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


def heatmap_rows(
    report: Report, cam: CamResult | None = None, *, differences: Sequence[str] = ("gold",)
) -> list[HeatmapRow]:
    """The images with their maps, forget images first.

    `cam` is another result, such as that of a Grad-CAM query; it defaults to the report's own. Cells are the image, one
    map per model, and the map of after minus that of each model in `differences` that there is.
    """
    cam = report[CamResult] if cam is None else cam
    made = [_row(report, cam, place, differences=differences) for place in range(len(cam.images))]
    return sorted(made, key=lambda row: not row.forgotten)


def aligned_rows(results: Sequence[tuple[str, Report, CamResult]]) -> list[HeatmapRow]:
    """The heat maps of one image in several runs, one row per run on one scale; each row starts with the run's name.

    Every result has one image, like that of a Grad-CAM query, all for the same image, class, layer and algorithm.
    """
    top = max(float(drawn.max()) for _, _, cam in results for drawn in _maps(cam, 0).values())
    made = [(name, _row(report, cam, 0, top=top)) for name, report, cam in results]
    return [row._replace(title=f"{name}: {row.title}", words=f"{name}. {row.words}") for name, row in made]


def cam_of_image(report: Report, image: int) -> CamResult | None:
    """The report's heat maps of one image; None if the report has none for this image."""
    cam = report.get(CamResult)
    places = [] if cam is None else [place for place, shown in enumerate(cam.images) if shown.image == image]
    return cam.only(places[0]) if cam is not None and places else None


def _maps(cam: CamResult, place: int) -> dict[str, np.ndarray]:
    return {model: cam.maps[model][place].astype(float) for model in MODELS if model in cam.images[place].models}


def _row(
    report: Report, cam: CamResult, place: int, *, top: float | None = None, differences: Sequence[str] = ("gold",)
) -> HeatmapRow:
    """`top` is the strongest value of the scale; without it this row has a scale of its own."""
    shown, image, maps = cam.images[place], upscale(cam.pixels[place]), _maps(cam, place)
    top = max(float(drawn.max()) for drawn in maps.values()) if top is None else top
    top = top or 1.0  # No evidence anywhere: all maps stay dark.
    classes, forgotten = report.dataset.classes, shown.is_forgotten
    side = f"{'forget' if forgotten else 'retain'} set"
    what = "your image" if shown.label is None else f"{classes[shown.label]}, {side}"
    cells = [HeatmapCell(image, what)]
    for model, drawn in maps.items():
        own = shown.models[model]
        predicted = f"{classes[own.predicted]} {percent(own.probability, 0)}"
        cells.append(HeatmapCell(colorize(image, drawn / top), f"{MODEL_LABELS[model]} · {predicted}"))
    for other in differences:
        if {"after", other} <= maps.keys():
            gap = (maps["after"] - maps[other]) / top
            cells.append(HeatmapCell(colorize_difference(image, gap), f"after − {MODEL_LABELS[other]}"))
    title, algorithm = capitalize(what), CAM_ALGORITHMS[cam.algorithm]
    if not algorithm.shows_class:
        return HeatmapRow(f"{title}, class-independent", _response(shown), tuple(cells), forgotten)
    target = explained_class(report, shown)
    if shown.target != shown.label or shown.compared:
        title += f", evidence for {target}"
    words = _words(shown, target) if algorithm.shows_amount else _places(target)
    return HeatmapRow(title, words, tuple(cells), forgotten)


def explained_class(report: Report, shown: ExplainedImage) -> str:
    """What the maps of an image explain: "cat", or "cat against dog, deer and frog"."""
    classes = report.dataset.classes
    against = f" against {join_words([classes[other] for other in shown.compared])}" if shown.compared else ""
    return f"{classes[shown.target]}{against}"


def _places(target: str) -> str:
    """What to read where brightness is not the amount of evidence."""
    return f"This is where the layer's channels raise {target}. Compare places, not brightness."


def _response(shown: ExplainedImage) -> str:
    """How the strongest response changed, where the algorithm concerns no class."""
    peaks = {model: own.peak for model, own in shown.models.items()}
    if not peaks["before"] or "after" not in peaks:
        return "This is what the layer responds to most, whatever the class."
    gold = f"; retrained: {peaks['gold'] / peaks['before']:.2f}" if "gold" in peaks else ""
    return (
        "This is what the layer responds to most, whatever the class. The peak after is "
        f"{peaks['after'] / peaks['before']:.2f} of before{gold}."
    )


def _words(shown: ExplainedImage, target: str) -> str:
    """How the evidence for the target class changed, from the maps' highest values."""
    peaks = {model: own.peak for model, own in shown.models.items()}
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
