"""The verdicts of a report: which images and models are compared, and what the rule says of them."""

from typing import NamedTuple

import numpy as np

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.features import RepresentationResult
from unlearn_core.domain.results.metrics import VerdictMetrics
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.domain.verdicts.paired_comparison import Comparison, compare
from unlearn_core.domain.verdicts.rule import (
    CorrectPredictions,
    ForgetVerdict,
    Relation,
    RetainVerdict,
    deciding_set,
    judge_forgotten,
    judge_retained,
    relations,
)


class GoldAgreement(NamedTuple):
    """How often it predicts the same class as gold, compared with how often others do; "accuracy" means agreement."""

    comparison: Comparison
    relation: Relation
    num_others: int
    """The golds that are compared with; with none it is the original, without the outputs of the forgotten classes."""


class ProbeVerdict(NamedTuple):
    """How often a linear probe on its features finds forget images, compared with one on those of retrained models."""

    comparison: Comparison
    relation: Relation


class CorrectionVerdict(NamedTuple):
    """How often test images of the confused classes are classified correctly, compared with before and with gold."""

    original: Comparison
    original_relation: Relation
    retrained: Comparison | None
    retrained_relation: Relation | None
    can_come_back: bool
    """Whether the original model is shown to be below the retrained one: otherwise there is nothing to correct."""


RETRAINED_MODELS = ("gold", "twin")


def correct_predictions(report: Report, model: str, rows: np.ndarray) -> np.ndarray:
    """Whether a model classifies each of these images correctly: (rows,) bool. All of them must have been evaluated."""
    assert report.evaluations[model].covers(rows), f"{model} was not evaluated on all of these images"
    return report.evaluations[model].logits[rows].argmax(1) == report.labels[rows]


def reference(report: Report) -> str:
    """The model that decides on the retain set: "gold", or "before" where there is no retrained model."""
    return "gold" if "gold" in report.evaluations else "before"


def retrained_predictions(report: Report, rows: np.ndarray) -> np.ndarray:
    """The classes (models, rows) that all retrained models predict for images of a verdict, gold first."""
    known = [model for model in RETRAINED_MODELS if model in report.evaluations]
    found = [report.evaluations[model].logits[rows].argmax(1) for model in known]
    further = report.get(FurtherGolds)
    if found and further is not None:
        found += [logits.argmax(1) for logits in further.from_number(len(known), rows).values()]
    return np.stack(found) if found else np.empty((0, len(rows)), int)


def num_retrained(report: Report) -> int:
    """How many retrained models the verdicts compare with."""
    return len(retrained_predictions(report, np.empty(0, int)))


def is_judged(report: Report) -> bool:
    """Whether the outputs of both models are there, which every verdict needs."""
    return {"before", "after"} <= report.evaluations.keys()


def retain_verdict(report: Report) -> RetainVerdict | None:
    """Whether the accuracy on test images of the retain set is that of the reference; None without any."""
    rows = report.split.retain_test
    if not is_judged(report) or not len(rows):
        return None
    return judge_retained(_correct(report, rows), _spread(report, "retain_test"))


def forget_verdicts(report: Report) -> dict[str, ForgetVerdict]:
    """Whether the forget set was forgotten, by set: training images, and test images of forgotten classes.

    Empty without outputs or images, and for single images without a retrained model, since only that shows how many
    are to be classified correctly.
    """
    if not is_judged(report):
        return {}
    if report.spec.request.forget.kind == "images" and "gold" not in report.evaluations:
        return {}
    sets = {name: getattr(report.split, name) for name in ("forget_train", "forget_test")}
    return judge_forgotten({name: _correct(report, rows) for name, rows in sets.items() if len(rows)})


def gold_agreement(report: Report) -> GoldAgreement | None:
    """Whether it predicts the same classes as gold on all forget images; None without any, or without gold."""
    rows = np.concatenate([report.split.forget_train, report.split.forget_test])
    if not {"before", "after", "gold"} <= report.evaluations.keys() or not len(rows):
        return None
    gold, *others = retrained_predictions(report, rows)
    before, forget = report.evaluations["before"].logits[rows].astype(float), report.spec.request.forget
    if forget.kind == "classes":
        before[:, forget.classes] = -np.inf
    reference = np.stack(others) if others else before.argmax(1)
    comparison = compare(report.evaluations["after"].logits[rows].argmax(1) == gold, reference == gold)
    return GoldAgreement(comparison, relations([comparison])[0], len(others))


def probe_verdict(report: Report) -> ProbeVerdict | None:
    """Whether features hold the forget set more than those of retrained models; None where this was not measured."""
    result = report.get(RepresentationResult)
    golds = [] if result is None else [result.probe[model] for model in RETRAINED_MODELS if model in result.probe]
    if result is None or not golds:
        return None
    comparison = compare(result.probe["after"].astype(bool), np.stack(golds).astype(bool))
    return ProbeVerdict(comparison, relations([comparison])[0])


def correction_verdict(result: InterclassConfusionResult) -> CorrectionVerdict:
    """Whether the accuracy on classes with wrong training labels came back; adjusted for the number of comparisons."""
    correct = {model: own.astype(bool) for model, own in result.correct.items()}
    pairs = [("after", "before"), ("after", "gold"), ("before", "gold")] if "gold" in correct else [("after", "before")]
    compared = [compare(correct[model], correct[reference]) for model, reference in pairs]
    original, *others = zip(compared, relations(compared), strict=True)
    if not others:
        return CorrectionVerdict(*original, None, None, False)
    return CorrectionVerdict(*original, *others[0], others[1][1] in ("lower", "lost"))


def recorded(report: Report) -> VerdictMetrics:
    """The findings by accuracy, for the history, the tables of sweeps and of many runs."""
    forget, retain = forget_verdicts(report), retain_verdict(report)
    return VerdictMetrics(
        forget=forget[deciding_set(forget)].finding if forget else None, retain=retain.finding if retain else None
    )


def class_comparisons(report: Report, against: str = "") -> dict[int, tuple[Comparison, Relation]]:
    """How each retained class did on its test images compared with the reference, adjusted for their number.

    `against` is "before" or "gold" where another reference than `reference(report)` is meant. Classes without test
    images are left out; it is empty without outputs.
    """
    if not is_judged(report):
        return {}
    forget, rows = report.spec.request.forget, report.split.retain_test
    gone = forget.classes if forget.kind == "classes" else ()
    compared: dict[int, Comparison] = {}
    for number in range(len(report.dataset.classes)):
        own = rows[report.labels[rows] == number]
        if number not in gone and len(own):
            correct = _correct(report, own)
            gold = None if (against or reference(report)) == "before" else correct.retrained
            compared[number] = compare(correct.after, correct.before if gold is None else gold)
    return dict(zip(compared, zip(compared.values(), relations(list(compared.values())), strict=True), strict=True))


def _correct(report: Report, rows: np.ndarray) -> CorrectPredictions:
    after, before = (correct_predictions(report, model, rows) for model in ("after", "before"))
    return CorrectPredictions(after, before, _retrained(report, rows))


def _retrained(report: Report, rows: np.ndarray) -> np.ndarray | None:
    predicted = retrained_predictions(report, rows)
    return predicted == report.labels[rows] if len(predicted) else None


def _spread(report: Report, name: str) -> list[float]:
    seeds = report.get(SeedsResult)
    return [run.accuracy["after"][name] for run in seeds.runs if name in run.accuracy["after"]] if seeds else []
