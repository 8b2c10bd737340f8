"""Summary of one run for the HTML report: question, verdicts, images, accuracies, heat maps. No charts."""

from collections.abc import Iterable
from math import isnan
from typing import NamedTuple

import numpy as np

from unlearn_core.charts.drawing.heatmap_overlay import data_uri
from unlearn_core.charts.drawing.wording import (
    capitalize,
    forgotten_classes,
    is_class_request,
    percent,
    retain_set_label,
    seconds,
)
from unlearn_core.charts.report import gradcam
from unlearn_core.charts.text import opening, verdict, warnings
from unlearn_core.charts.text.correction_words import correction_line
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.predictions import AccuracyResult, Score
from unlearn_core.domain.run import run_name
from unlearn_core.domain.split import SET_LABELS, set_label
from unlearn_core.export.image_tiles import ImageTile, forget_set_tiles, thumbnail_uri, tiles_caption

NUM_LEADING = 3
"""Number of forget images, and of retained images, whose heat maps are shown first."""
CELL_SIZE = 176
"""The size in pixels of an image under a heat map."""


class ImageStrip(NamedTuple):
    """The heat maps of one image for every model."""

    title: str
    words: str
    tiles: tuple[ImageTile, ...]
    is_leading: bool
    """Whether it is among the few that are shown first."""


class MetricLine(NamedTuple):
    """Accuracies on one set before, after and of gold, each with its interval; "–" where there is none."""

    label: str
    side: str
    """The side of the set: "forget" or "retain"."""
    of: str
    cells: tuple[tuple[str, str], ...]


class RunSummary(NamedTuple):
    """The content of a report about one run, apart from its charts and settings."""

    name: str
    title: str
    question: str
    answer: str
    privacy: str
    features: str
    correction: str
    limits: str
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
    """Summarise one run; `image_dataset` is None where this machine does not have the data set."""
    cards, raised = verdict.verdicts(report), tuple(warnings.report_warnings(report))
    doubt = verdict.caveats(report) if raised else f"{warnings.no_warning_text(report)} {verdict.caveats(report)}"
    has_heatmaps = gradcam.CHART.applies(report)
    return RunSummary(
        name=name,
        title=f"Did it forget {report.forget_set_title}?",
        question=question_of(report),
        facts=_facts(report),
        answer=opening.answer(cards),
        privacy=opening.privacy_line(report),
        features=opening.features_line(report),
        correction=correction_line(report),
        limits=opening.limits(report),
        verdicts=cards,
        flags=raised,
        doubt=doubt,
        forgotten=tuple(forget_set_tiles(report, image_dataset)),
        caption=tiles_caption(report, image_dataset),
        lines=metric_lines(report),
        no_gold="" if "gold" in report.evaluations else report.missing.get("gold", "There is no retrained model yet."),
        strips=tuple(_strips(report)) if has_heatmaps is True else (),
        strip_words=gradcam.CHART.summary(report) if has_heatmaps is True else str(has_heatmaps),
        timings=tuple(_timings(report)),
        weights=tuple((model, one.weights[:16]) for model, one in report.evaluations.items()),
        missing=tuple(dict.fromkeys(report.missing.values())),
    )


def question_of(report: Report) -> str:
    """What was unlearned, and what the report says about it."""
    many = len(report.split.forget_train)
    count = "1 training image" if many == 1 else f"{many:,} training images"
    what = (
        f"the {'class' if len(forgotten_classes(report)) == 1 else 'classes'} {report.forget_set_title}"
        if is_class_request(report)
        else ""
    )
    forgotten = f"{what} ({count})" if what else count
    return (
        f"The trained classifier {report.classifier.title} unlearned {forgotten} with the method {report.method}, and "
        f"should retain {retain_set_label(report)}. Did it forget, did it retain the rest, and does it now behave like "
        "a model trained without the forget set?"
    )


def _facts(report: Report) -> tuple[str, ...]:
    facts = [] if report.run is None else [run_name(report.run)]
    timings = report.get(TimingsResult)
    if timings is not None:
        facts.append(f"started {timings.started[:16].replace('T', ' ')} UTC")
        facts.append(f"{seconds(timings.seconds.total)} on {timings.device}")
    return (*facts, f"seed {report.spec.seed}")


def metric_lines(report: Report) -> tuple[MetricLine, ...]:
    """One line per set that has images; none where accuracies were not measured."""
    result = report.get(AccuracyResult)
    lines = []
    for name in SET_LABELS:
        scores = [result.scores.get(model, {}).get(name) if result else None for model in MODELS]
        known = [score for score in scores if score and score.total]
        if known:
            cells = tuple(_score(score) for score in scores)
            lines.append(MetricLine(capitalize(set_label(name)), name.split("_")[0], f"{known[0].total:,}", cells))
        if any(not isnan(score.balanced) for score in known):
            cells = tuple(("–" if score is None else percent(score.balanced), "") for score in scores)
            title = f"{capitalize(set_label(name))}, balanced accuracy"
            lines.append(MetricLine(title, name.split("_")[0], f"{known[0].total:,}", cells))
    return tuple(lines)


def _score(score: Score | None) -> tuple[str, str]:
    if not score or not score.total:
        return "–", ""
    return percent(score.accuracy), f"{100 * score.low:.1f}–{100 * score.high:.1f}"


def _strips(report: Report) -> Iterable[ImageStrip]:
    seen = {True: 0, False: 0}
    for row in gradcam.heatmap_rows(report):
        tiles = (ImageTile(_small_uri(cell.image), cell.caption, f"{row.title}: {cell.caption}") for cell in row.cells)
        seen[row.forgotten] += 1
        yield ImageStrip(row.title, row.words, tuple(tiles), is_leading=seen[row.forgotten] <= NUM_LEADING)


def _small_uri(image: np.ndarray) -> str:
    return data_uri(image) if max(image.shape[:2]) <= CELL_SIZE else thumbnail_uri(image, CELL_SIZE)


def _timings(report: Report) -> Iterable[tuple[str, str]]:
    timings = report.get(TimingsResult)
    if timings is None:
        return
    for phase in timings.phases:
        yield f"{capitalize(phase.name)}, {phase.steps:,} steps", seconds(phase.seconds)
    for name, spent in timings.seconds:
        if spent is None:
            continue
        yield f"{capitalize(name)}, total" if name == "forget" else capitalize(name), seconds(spent)


def version_text(report: Report) -> str:
    """The library versions and threads with which a run was made."""
    timings = report.get(TimingsResult)
    if timings is None:
        return "not recorded"
    versions = [f"{name} {version}" for name, version in timings.versions.items()]
    return " · ".join([*versions, f"{timings.threads} threads"])
