"""One run as a report tells it: its question, its verdict, its pictures and accuracies. Plain values, no charts."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from unlearn_core.charts.drawing.heatmap_overlay import data_uri
from unlearn_core.charts.drawing.wording import capitalize, forgotten_classes, is_class_request, percent, seconds
from unlearn_core.charts.report import gradcam
from unlearn_core.charts.text import verdict, warnings
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.export.image_tiles import ImageTile, forget_set_tiles, thumbnail_uri, tiles_caption

SET_LABELS = {
    "forget_train": ("Forgotten", "trained on"),
    "forget_val": ("Forgotten", "validation"),
    "forget_test": ("Forgotten", "unseen"),
    "retain_train": ("Kept", "trained on"),
    "retain_val": ("Kept", "validation"),
    "retain_test": ("Kept", "unseen"),
}
NUM_LEADING = 3
"""So many forgotten pictures and so many kept ones stand for all those that have heat maps."""
CELL_SIZE = 176
"""The side in pixels of a picture under a heat map."""


class ImageStrip(NamedTuple):
    """One picture asked of every model."""

    title: str
    words: str
    tiles: tuple[ImageTile, ...]
    is_leading: bool
    """Whether it is among the few that stand for the others."""


class MetricLine(NamedTuple):
    """The accuracies on one set: of before, after and gold, each with its interval; "–" where there is none."""

    side: str
    which: str
    of: str
    cells: tuple[tuple[str, str], ...]


class RunSummary(NamedTuple):
    """All that a report says about one run apart from its charts and settings."""

    name: str
    title: str
    question: str
    facts: tuple[str, ...]
    verdicts: tuple[verdict.Verdict, ...]
    flags: tuple[warnings.ReportWarning, ...]
    doubt: str
    forgotten: tuple[ImageTile, ...]
    caption: str
    lines: tuple[MetricLine, ...]
    no_gold: str
    strips: tuple[ImageStrip, ...]
    strip_words: str
    timings: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def summarize_run(report: Report, *, name: str, image_dataset: ImageDataset | None) -> RunSummary:
    """Tells one run; `pictures` are those of its data set, None where this machine has them no more."""
    raised = tuple(warnings.report_warnings(report))
    doubt = verdict.caveats(report) if raised else f"{warnings.no_warning_text(report)} {verdict.caveats(report)}"
    looks = gradcam.CHART.applies(report)
    return RunSummary(
        name=name,
        title=f"Did it forget {report.forget_set_title}?",
        question=_question(report),
        facts=_facts(report),
        verdicts=verdict.verdicts(report),
        flags=raised,
        doubt=doubt,
        forgotten=tuple(forget_set_tiles(report, image_dataset)),
        caption=tiles_caption(report, image_dataset),
        lines=metric_lines(report),
        no_gold="" if "gold" in report.evaluations else report.missing.get("gold", "There is no gold yet."),
        strips=tuple(_strips(report)) if looks is True else (),
        strip_words=gradcam.CHART.summary(report) if looks is True else str(looks),
        timings=tuple(_timings(report)),
        weights=tuple((model, one.weights[:16]) for model, one in report.evaluations.items()),
        missing=tuple(dict.fromkeys(report.missing.values())),
    )


def _question(report: Report) -> str:
    many = len(report.split.forget_train)
    count = "1 training picture" if many == 1 else f"{many:,} training pictures"
    what = (
        f"the {'class' if len(forgotten_classes(report)) == 1 else 'classes'} {report.forget_set_title}"
        if is_class_request(report)
        else ""
    )
    asked = f"{what} ({count})" if what else count
    kept = "the other classes" if is_class_request(report) else "all the others"
    return (
        f"A trained classifier, {report.classifier.title}, was made to forget {asked} by the method {report.method}, "
        f"and was to keep {kept}. Did it forget, did it keep, and is it now like a net that never saw them?"
    )


def _facts(report: Report) -> tuple[str, ...]:
    said = [] if report.run is None else [f"Run {report.run}"]
    timings = report.parts["timings"].facts if "timings" in report.parts else {}
    if "started" in timings:
        said.append(f"begun {timings['started'][:16].replace('T', ' ')} UTC")
    if timings:
        said.append(f"{seconds(timings['seconds']['total'])} on {timings['device']}")
    return (*said, f"seed {report.spec.seed}")


def metric_lines(report: Report) -> tuple[MetricLine, ...]:
    """A line for every set of pictures that there is; none where accuracies were not measured."""
    facts = report.parts["accuracy"].facts if "accuracy" in report.parts else {}
    lines = []
    for name, (side, which) in SET_LABELS.items():
        scores = [facts.get(model, {}).get(name) for model in MODELS]
        known = [score for score in scores if score and score["accuracy"] is not None]
        if known:
            lines.append(MetricLine(side, which, f"{known[0]['of']:,}", tuple(_score(score) for score in scores)))
    return tuple(lines)


def _score(score: dict | None) -> tuple[str, str]:
    if not score or score["accuracy"] is None:
        return "–", ""
    return percent(score["accuracy"]), f"{100 * score['low']:.1f}–{100 * score['high']:.1f}"


def _strips(report: Report) -> Iterable[ImageStrip]:
    seen = {True: 0, False: 0}
    for row in gradcam.heatmap_rows(report):
        tiles = (ImageTile(_small_uri(cell.image), cell.caption, f"{row.title}: {cell.caption}") for cell in row.cells)
        seen[row.forgotten] += 1
        yield ImageStrip(row.title, row.words, tuple(tiles), is_leading=seen[row.forgotten] <= NUM_LEADING)


def _small_uri(image: np.ndarray) -> str:
    return data_uri(image) if max(image.shape[:2]) <= CELL_SIZE else thumbnail_uri(image, CELL_SIZE)


def _timings(report: Report) -> Iterable[tuple[str, str]]:
    if "timings" not in report.parts:
        return
    facts = report.parts["timings"].facts
    for phase in facts["phases"]:
        yield f"{capitalize(phase['name'])}, {phase['steps']:,} steps", seconds(phase["seconds"])
    for name, spent in facts["seconds"].items():
        yield f"{capitalize(name)}, in all" if name == "forget" else capitalize(name), seconds(spent)


def version_text(report: Report) -> str:
    """The versions that a run was made with, in words."""
    facts = report.parts["timings"].facts if "timings" in report.parts else {}
    said = [f"{name} {version}" for name, version in facts.get("versions", {}).items()]
    where = [f"{facts['threads']} threads"] if "threads" in facts else []
    return " · ".join(said + where) or "not recorded"
