"""The verdict on a run in three cards: forgetting, retained accuracy, similarity to gold; and what they do not prove.

Shares are compared by their 95 % intervals: two that overlap, or differ by at most MIN_DIFFERENCE, count as equal.

* Forgetting is measured on test images and on training images of the forgotten classes (the worse counts), or on the
  forget images themselves. Where before and gold are equal there, accuracy cannot decide. Good: equal to gold.
  Middling: at least NEARLY of the way from before to gold; or, for single images, clearly below gold, which reveals
  them. Without gold, forgotten classes are compared with 0 %, since a model that was not trained on a class never
  predicts it; single images get no verdict.
* Retained accuracy is measured on test images of the retain set, against gold (without gold: against before). Good:
  equal or better. Middling: at most SLIGHT below it.
* Similarity to gold is the share of forget images for which after and gold predict the same class, and the total
  variation distance between their distributions of predictions. The reference is what hiding would give: the model
  before with the outputs of the forgotten classes removed (for single images, the model before as it is); two models
  from different seeds agree no more than that, whatever they forgot. Good: at most SLIGHT worse than hiding in both.
  Middling: at most FAR. The distance to gold is shown next to it, with that between two golds where there are two.
"""

from math import isnan
from typing import Any, Literal, NamedTuple

import numpy as np

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import (
    capitalize,
    eval_forget_set,
    forget_set_label,
    forgotten_classes,
    has_balanced_accuracy,
    is_class_request,
    percent,
    retain_set_label,
    retain_test_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.balance import BALANCED_CAVEAT
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult, Score

Tone = Literal["good", "middling", "bad", "unknown"]

MIN_DIFFERENCE = 0.01
NEARLY = 0.75
SLIGHT = 0.05
FAR = 0.2
FEW_IMAGES = 100
"""With fewer forget images than this, accuracies are so coarse that the caveats say so."""
_NEVER = Score(correct=0, total=0, accuracy=0.0, low=0.0, high=0.0)


class Verdict(NamedTuple):
    """One card: a title of two or three words, its tone, and the numbers behind it in a sentence or two."""

    title: str
    tone: Tone
    words: str


def verdicts(report: Report) -> tuple[Verdict, Verdict, Verdict]:
    """Return the cards on forgetting, retained accuracy and similarity to gold, in this order."""
    if AccuracyResult not in report:
        reason = report.reason(AccuracyResult)
        return Verdict("unknown", "unknown", reason), Verdict("unknown", "unknown", reason), gold_verdict(report)
    return forget_verdict(report), retain_verdict(report), gold_verdict(report)


def forget_verdict(report: Report) -> Verdict:
    """Judge whether the forget set was forgotten."""
    return _forgot_classes(report) if is_class_request(report) else _forgot_images(report)


def _forgot_classes(report: Report) -> Verdict:
    name = eval_forget_set(report)
    before, after, gold = (_score(report, model, name) for model in ("before", "after", "gold"))
    tone: Tone = _graded(before, after, gold or _NEVER)
    words = _share_predicted(report, after) + (f" Retrained model: {percent(gold.accuracy)}." if gold else "")
    if name == "forget_test" and len(report.split.forget_train):
        trained = [_score(report, model, "forget_train") for model in ("before", "after", "gold")]
        worse = _graded(trained[0], trained[1], trained[2] or _NEVER)
        words += (
            " This cannot decide: the original and the retrained model do not differ significantly here."
            if tone == "unknown"
            else ""
        )
        if _severity(worse) > _severity(tone):
            tone, items = worse, f"{report.dataset.item_noun}s"
            words += f" Of the {trained[1].total:,} training {items}, {percent(trained[1].accuracy)} are."
    if gold is None:
        words += f" {NO_GOLD} A model that was not trained on them would classify none like that."
    titles = {"good": "forgotten", "middling": "nearly forgotten", "bad": "not forgotten", "unknown": "cannot tell"}
    return Verdict(titles[tone], tone, words)


def _share_predicted(report: Report, after: Score) -> str:
    single = len(forgotten_classes(report)) == 1
    still = f"predicted as {report.forget_set_title}" if single else "classified correctly"
    return f"{percent(after.accuracy)} of {after.total:,} {forget_set_label(report)} are still {still}."


def _forgot_images(report: Report) -> Verdict:
    before, after, gold = (_score(report, model, "forget_train") for model in ("before", "after", "gold"))
    noun = report.dataset.item_noun
    of = f"the forget {noun}" if after.total == 1 else f"the {after.total:,} forget {noun}s"
    words = f"{percent(after.accuracy)} of {of} are still classified correctly"
    words += f" (before: {percent(before.accuracy)})."
    if gold is None:
        return Verdict("no reference yet", "unknown", f"{words} Only a retrained model can show how many should be.")
    words += f" The retrained model, which was not trained on them: {percent(gold.accuracy)}."
    if not _equal(after, gold) and after.accuracy < gold.accuracy:
        reveals = "A lower accuracy than that of the retrained model reveals them."
        return Verdict("forgotten too much", "middling", f"{words} {reveals}")
    if _equal(before, gold):
        return Verdict(
            "cannot tell", "unknown", f"{words} The original model is not clearly higher: accuracy cannot decide here."
        )
    tone = _grade(before, after, gold)
    titles = {"good": "forgotten", "middling": "nearly forgotten", "bad": "not forgotten"}
    return Verdict(titles[tone], tone, words)


def retain_verdict(report: Report) -> Verdict:
    """Judge whether the accuracy on the retain set is as high as it should be."""
    before, after, gold = (_score(report, model, "retain_test") for model in ("before", "after", "gold"))
    if not len(report.split.retain_test):
        words = f"There are no {retain_test_label(report)}, so what was retained was not measured."
        return Verdict("not measured", "unknown", words)
    label = retain_set_label(report).removeprefix("the ") if is_class_request(report) else retain_test_label(report)
    words = f"{capitalize(label)}: {percent(before.accuracy).split(chr(160))[0]} → {percent(after.accuracy)}."
    aim = gold or before
    gap = after.accuracy - aim.accuracy
    beside = "equal" if abs(gap) < 0.0005 else f"{100 * abs(gap):.1f} points {'above' if gap > 0 else 'below'} it"
    words += f" Retrained model: {percent(gold.accuracy)}, {beside}." if gold else f" {NO_GOLD}"
    if not isnan(after.balanced):
        reference = f" (retrained model: {percent(gold.balanced)})" if gold else ""
        words += f" Balanced accuracy: {percent(before.balanced)} → {percent(after.balanced)}{reference}."
    if gap >= 0 or _equal(after, aim):
        return Verdict("retained", "good", words)
    if gap >= -SLIGHT:
        return Verdict("nearly retained", "middling", words)
    return Verdict("not retained", "bad", words)


def gold_verdict(report: Report) -> Verdict:
    """Judge whether it classifies forget images as the retrained model does."""
    if not {"before", "after", "gold"} <= report.evaluations.keys():
        reason = report.missing.get("gold", NO_GOLD)
        return Verdict("not retrained yet", "unknown", reason)
    rows = getattr(report.split, eval_forget_set(report))
    logits = {model: report.evaluations[model].logits[rows].astype(float) for model in ("before", "after", "gold")}
    if is_class_request(report):
        logits["before"][:, forgotten_classes(report)] = -np.inf
    gold = logits["gold"].argmax(1)
    same, variation = _similarity(logits["after"].argmax(1), gold)
    hidden_same, hidden_variation = _similarity(logits["before"].argmax(1), gold)
    worse = max(hidden_same - same, variation - hidden_variation)
    tone: Tone = "good" if worse <= SLIGHT else "middling" if worse <= FAR else "bad"
    titles = {"good": "like retrained", "middling": "somewhat like retrained", "bad": "unlike retrained"}
    baseline = "Blocking that output" if is_class_request(report) else "The original model"
    return Verdict(
        titles[tone],
        tone,
        f"It agrees with the retrained model on {percent(same)} of {len(rows):,} {forget_set_label(report)}. "
        f"{baseline} would reach {percent(hidden_same)}. The distributions of predictions differ by {variation:.2f}."
        f"{_distance(report)}",
    )


def _distance(report: Report) -> str:
    """Describe the distance to gold, with that between two golds where there are two."""
    result = report.get(DistanceResult)
    if result is None:
        return ""
    overall = result.overall.get("test")
    if overall is None:
        return ""
    unknown = isnan(overall.between_golds)
    spread = "spread unknown: only one" if unknown else f"two retrained models: {overall.between_golds:.3f}"
    return f" Distance to the retrained model: {overall.before:.3f} → {overall.after:.3f} bits ({spread})."


def _similarity(given: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return the share of equal predictions, and the total variation distance between their distributions."""
    most = int(max(given.max(), gold.max())) + 1
    apart = np.bincount(given, minlength=most) - np.bincount(gold, minlength=most)
    return float((given == gold).mean()), float(np.abs(apart).sum()) / (2 * len(gold))


def caveats(report: Report) -> str:
    """Return what the three cards do not prove, for this run."""
    noun = report.dataset.item_noun
    said = [f"This does not prove that the {noun}s left no trace."]
    count = len(report.split.forget_train)
    images = f"1 forget {noun}" if count == 1 else f"{count} forget {noun}s"
    if not count:
        said.append(f"No forget {noun} was trained on, so there was nothing to forget.")
    if "gold" not in report.evaluations:
        said.append("Without a retrained model there is no reference.")
    elif is_class_request(report):
        said.append("Blocking one output would give the same first number." if _names_few(report) else "")
    if "gold" in report.evaluations and not report.classifier.original_recipe:
        said.append(
            "The retrained model uses a recipe chosen by hand, not the one that made this classifier: part of the "
            "difference may come from the recipe."
        )
    if 0 < count < FEW_IMAGES:
        said.append(f"With {images}, one more or less is {percent(1 / count)}.")
    said.append(BALANCED_CAVEAT if has_balanced_accuracy(report) else "")
    said.append(_seeds(report))
    return " ".join(filter(None, said))


def _seeds(report: Report) -> str:
    """Say how many seeds the cards are based on."""
    seeds = report.get(SeedsResult)
    if seeds is None:
        return "One seed, one classifier: two more seeds would show how stable this is."
    return f"These cards describe one of {len(seeds.runs)} seeds, whose spread is shown below, and one classifier."


def _names_few(report: Report) -> bool:
    return AccuracyResult in report and _score(report, "after", eval_forget_set(report)).accuracy <= SLIGHT


def _score(report: Report, model: str, name: str) -> Any:
    """Return a model's score on a set; None if there is no such model."""
    return report[AccuracyResult].scores.get(model, {}).get(name)


def _equal(one: Score, other: Score) -> bool:
    overlap = one.low <= other.high and other.low <= one.high
    return overlap or abs(one.accuracy - other.accuracy) <= MIN_DIFFERENCE


def _grade(before: Score, after: Score, gold: Score) -> Tone:
    if after.accuracy <= gold.accuracy or _equal(after, gold):
        return "good"
    way = before.accuracy - gold.accuracy
    return "middling" if way > 0 and before.accuracy - after.accuracy >= NEARLY * way else "bad"


def _graded(before: Score, after: Score, gold: Score) -> Tone:
    """Return the grade; "unknown" if before and gold do not differ enough for one."""
    return "unknown" if _equal(before, gold) else _grade(before, after, gold)


def _severity(tone: Tone) -> int:
    return ("unknown", "good", "middling", "bad").index(tone)
