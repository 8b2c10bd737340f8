"""The figures of an evidence sheet on accuracy: of each model, their paired differences, classes, and repeats."""

from collections.abc import Iterable
from math import isfinite

from unlearn_core.charts.text.forget_card import finding_title
from unlearn_core.charts.text.run_comparison import RELATION_WORDS
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.verdicts.paired_comparison import MARGIN, Comparison
from unlearn_core.domain.verdicts.report_verdicts import (
    class_comparisons,
    forget_verdicts,
    num_retrained,
    reference,
    retain_verdict,
    retrained_predictions,
)
from unlearn_core.export.evidence.sheet import SheetFigure

NEVER_PREDICTED = "difference to a model that never predicts it"
VERDICT_SETS = ("forget_train", "forget_test", "retain_test")
_LEVEL, _PAIRED_LEVEL = 0.95, 0.9


def accuracy_figures(report: Report) -> list[SheetFigure]:
    """Return the figures on which the verdicts by accuracy rest; a result that the report lacks has none."""
    made = (_accuracies(report), _mean_of_retrained(report), _differences(report), _classes(report), _repeats(report))
    return [figure for own in made for figure in own]


def _accuracies(report: Report) -> Iterable[SheetFigure]:
    result = report.get(AccuracyResult)
    for model, sets in result.scores.items() if result else ():
        for name, one in sets.items():
            if one.total:
                yield SheetFigure(
                    id=f"accuracy/{name}/{model}",
                    evidence="accuracy",
                    what="accuracy",
                    set=name,
                    model=model,
                    value=one.accuracy,
                    low=one.low,
                    high=one.high,
                    level=_LEVEL,
                    images=one.total,
                )
            if isfinite(one.balanced):
                yield SheetFigure(
                    id=f"balanced accuracy/{name}/{model}",
                    evidence="accuracy",
                    what="balanced accuracy",
                    set=name,
                    model=model,
                    value=one.balanced,
                    images=one.total,
                )


def _mean_of_retrained(report: Report) -> Iterable[SheetFigure]:
    """The reference of the verdicts where there are several retrained models: the report itself measures the first."""
    for name in VERDICT_SETS if num_retrained(report) > 1 else ():
        rows = getattr(report.split, name)
        if len(rows):
            yield SheetFigure(
                id=f"accuracy/{name}/mean of retrained",
                evidence="accuracy",
                what="accuracy",
                set=name,
                model="golds",
                value=float((retrained_predictions(report, rows) == report.labels[rows]).mean()),
                images=len(rows),
            )


def _differences(report: Report) -> Iterable[SheetFigure]:
    has_gold = "gold" in report.evaluations
    for name, one in forget_verdicts(report).items():
        finding = finding_title(one.finding)
        if has_gold:
            yield paired_figure(one.retrained, name, "after-gold", finding=finding)
            yield paired_figure(one.gap, name, "before-gold")
        else:
            yield paired_figure(one.retrained, name, "after", what=NEVER_PREDICTED, finding=finding)
        yield paired_figure(one.original, name, "after-before")
    found = retain_verdict(report)
    if found is not None:
        yield paired_figure(found.deciding, "retain_test", f"after-{reference(report)}", finding=found.finding)
        if has_gold:
            yield paired_figure(found.original, "retain_test", "after-before")


def _classes(report: Report) -> Iterable[SheetFigure]:
    pair = f"after-{reference(report)}"
    for number, (one, relation) in class_comparisons(report).items():
        name = report.dataset.classes[number]
        figure = paired_figure(one, "retain_test", pair, what=name, finding=RELATION_WORDS[relation])
        yield figure.model_copy(update={"id": f"class/{number}/{pair}", "evidence": "accuracy by class"})


def paired_figure(
    one: Comparison, name: str, pair: str, *, what: str = "difference of accuracies", finding: str = ""
) -> SheetFigure:
    """Return the figure of a paired comparison."""
    return SheetFigure(
        id=f"difference/{name}/{pair}",
        evidence="accuracy",
        what=what,
        set=name,
        model=pair,
        value=one.difference,
        unit="difference",
        low=one.low,
        high=one.high,
        level=_PAIRED_LEVEL,
        images=one.images,
        p=one.p_differs,
        p_margin=one.p_below,
        margin=MARGIN,
        finding=finding,
    )


def _repeats(report: Report) -> Iterable[SheetFigure]:
    seeds = report.get(SeedsResult)
    for one in seeds.runs if seeds else ():
        for name in ("forget_train", "retain_test"):
            if name in one.accuracy.get("after", {}):
                yield SheetFigure(
                    id=f"repeat/{one.seed}/{name}",
                    evidence="accuracy of repeats",
                    what=f"seed {one.seed}",
                    set=name,
                    model="after",
                    value=one.accuracy["after"][name],
                    source="run",
                )
