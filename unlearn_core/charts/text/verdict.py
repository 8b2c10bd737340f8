"""Three verdicts on a run in words: did it forget, did it keep, is it like gold? And what they do not prove.

Shares are compared by their 95 % intervals: two that overlap, or lie within POINT of one another, count as equal.

* Forgot? Measured on unseen pictures of the forgotten classes and on those that were trained on (the worse counts), or
  on the forgotten pictures themselves. Where before and gold are equal there, nothing can be told by them. Good: equal
  to gold. Middling: at least NEARLY of the way from before to gold is made; or, for single pictures, clearly under
  gold, which gives them away. Without gold, forgotten classes are held against 0 %, since a net that never saw a class
  does not name it; single pictures get no verdict.
* Kept? Measured on unseen pictures of what is kept, against gold (without gold: against before). Good: equal or
  better. Middling: at most SLIGHT under it.
* Like gold? The share of the forgotten pictures to which after and gold give the same answer, and the total variation
  between their spreads of answers. The yardstick is what hiding would give: the net before, with the outputs of the
  forgotten classes taken away (for single pictures, the net before as it is); two nets from different seeds agree no
  further than that, whatever they forgot. Good: at most SLIGHT worse than hiding in both. Middling: at most FAR.
  The distance to gold stands beside it, with that of two golds where there are two.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import (
    capitalize,
    eval_forget_set,
    forget_set_label,
    forgotten_classes,
    is_class_request,
    percent,
    retain_set_label,
)
from unlearn_core.domain.report import Report

Tone = Literal["good", "middling", "bad", "unknown"]
Score = dict[str, Any]

MIN_DIFFERENCE = 0.01
NEARLY = 0.75
SLIGHT = 0.05
FAR = 0.2
FEW_IMAGES = 100
"""Fewer forgotten pictures than this make accuracies so coarse that it must be said."""
_NEVER: Score = {"accuracy": 0.0, "low": 0.0, "high": 0.0}


class Verdict(NamedTuple):
    """One card: a title of two or three words, its tone, and the figures that carry it in a sentence or two."""

    title: str
    tone: Tone
    words: str


def verdicts(report: Report) -> tuple[Verdict, Verdict, Verdict]:
    """Forgot? Kept? Like gold? In this order."""
    if "accuracy" not in report.parts:
        reason = report.missing.get("accuracy", "This run has no accuracies.")
        return Verdict("unknown", "unknown", reason), Verdict("unknown", "unknown", reason), gold_verdict(report)
    return forget_verdict(report), retain_verdict(report), gold_verdict(report)


def forget_verdict(report: Report) -> Verdict:
    """Whether what was to be forgotten is."""
    return _forgot_classes(report) if is_class_request(report) else _forgot_images(report)


def _forgot_classes(report: Report) -> Verdict:
    name = eval_forget_set(report)
    before, after, gold = (_score(report, model, name) for model in ("before", "after", "gold"))
    tone: Tone = _graded(before, after, gold or _NEVER)
    words = _share_predicted(report, after) + (f" Gold: {percent(gold['accuracy'])}." if gold else "")
    if name == "forget_test":
        trained = [_score(report, model, "forget_train") for model in ("before", "after", "gold")]
        worse = _graded(trained[0], trained[1], trained[2] or _NEVER)
        words += " They tell nothing: before and gold are not apart." if tone == "unknown" else ""
        if _severity(worse) > _severity(tone):
            tone = worse
            words += f" Of the {trained[1]['of']:,} that it was trained on, {percent(trained[1]['accuracy'])} are."
    if gold is None:
        words += " There is no gold yet; a net that never saw them would name none so."
    titles = {"good": "forgot", "middling": "forgot, nearly", "bad": "not forgotten", "unknown": "cannot tell"}
    return Verdict(titles[tone], tone, words)


def _share_predicted(report: Report, after: Score) -> str:
    called = f"called {report.forget_set_title}" if len(forgotten_classes(report)) == 1 else "called by their name"
    return f"{percent(after['accuracy'])} of {after['of']:,} {forget_set_label(report)} are still {called}."


def _forgot_images(report: Report) -> Verdict:
    before, after, gold = (_score(report, model, "forget_train") for model in ("before", "after", "gold"))
    of = "the forgotten picture" if after["of"] == 1 else f"the {after['of']:,} forgotten pictures"
    words = f"{percent(after['accuracy'])} of {of} are still named rightly (before: {percent(before['accuracy'])})."
    if gold is None:
        return Verdict("no yardstick yet", "unknown", f"{words} Without gold nobody can say how many should be.")
    words += f" Gold, which never saw them: {percent(gold['accuracy'])}."
    if not _equal(after, gold) and after["accuracy"] < gold["accuracy"]:
        return Verdict("forgot, beyond gold", "middling", f"{words} Falling further than gold gives them away.")
    if _equal(before, gold):
        return Verdict(
            "cannot tell", "unknown", f"{words} Gold knows them as well as before: accuracy cannot tell here."
        )
    tone = _grade(before, after, gold)
    titles = {"good": "forgot", "middling": "forgot, nearly", "bad": "not forgotten"}
    return Verdict(titles[tone], tone, words)


def retain_verdict(report: Report) -> Verdict:
    """Whether the rest is as good as it should be."""
    before, after, gold = (_score(report, model, "retain_test") for model in ("before", "after", "gold"))
    what = capitalize(retain_set_label(report).removeprefix("the ")) if is_class_request(report) else "Unseen pictures"
    words = f"{what}: {percent(before['accuracy']).split(chr(160))[0]} → {percent(after['accuracy'])}."
    aim = gold or before
    gap = after["accuracy"] - aim["accuracy"]
    beside = "as much" if abs(gap) < 0.0005 else f"{100 * abs(gap):.1f} points {'above' if gap > 0 else 'under'}"
    words += (
        f" Gold reaches {percent(gold['accuracy'])}: {beside}." if gold else " There is no gold yet to compare with."
    )
    if gap >= 0 or _equal(after, aim):
        return Verdict("kept", "good", words)
    if gap >= -SLIGHT:
        return Verdict("kept, nearly", "middling", words)
    return Verdict("not kept", "bad", words)


def gold_verdict(report: Report) -> Verdict:
    """Whether it answers to the forgotten pictures as a net does that never saw them."""
    if not {"before", "after", "gold"} <= report.evaluations.keys():
        reason = report.missing.get("gold", NO_GOLD)
        return Verdict("gold not there yet", "unknown", reason)
    rows = getattr(report.split, eval_forget_set(report))
    logits = {model: report.evaluations[model].logits[rows].astype(float) for model in ("before", "after", "gold")}
    if is_class_request(report):
        logits["before"][:, forgotten_classes(report)] = -np.inf
    gold = logits["gold"].argmax(1)
    same, variation = _similarity(logits["after"].argmax(1), gold)
    hidden_same, hidden_variation = _similarity(logits["before"].argmax(1), gold)
    worse = max(hidden_same - same, variation - hidden_variation)
    tone: Tone = "good" if worse <= SLIGHT else "middling" if worse <= FAR else "bad"
    titles = {"good": "like gold", "middling": "somewhat like gold", "bad": "not like gold"}
    baseline = "hiding that output" if is_class_request(report) else "leaving it as it was"
    return Verdict(
        titles[tone],
        tone,
        f"{percent(same)} of {len(rows):,} {forget_set_label(report)} get gold's answer; {baseline} would give "
        f"{percent(hidden_same)}. The spreads of answers differ by {variation:.2f}.{_distance(report)}",
    )


def _distance(report: Report) -> str:
    """The one number, beside that of two golds where there are two."""
    if "distance" not in report.parts:
        return ""
    figures = report.parts["distance"].facts["distance"]["test"]
    spread = "spread unknown: one gold" if figures["spread"] is None else f"two golds: {figures['spread']:.3f}"
    return f" Distance to gold: {figures['before']:.3f} → {figures['after']:.3f} bits ({spread})."


def _similarity(given: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """The share of equal answers, and the total variation between the two spreads of answers."""
    most = int(max(given.max(), gold.max())) + 1
    apart = np.bincount(given, minlength=most) - np.bincount(gold, minlength=most)
    return float((given == gold).mean()), float(np.abs(apart).sum()) / (2 * len(gold))


def caveats(report: Report) -> str:
    """What the three verdicts do not prove, for this run."""
    said = ["What this does not prove: that the pictures left no trace."]
    count = len(report.split.forget_train)
    pictures = "1 forgotten picture" if count == 1 else f"{count} forgotten pictures"
    if "gold" not in report.evaluations:
        said.append("Without gold the yardstick is missing.")
    elif is_class_request(report):
        said.append("Hiding one output would give the same first figure." if _names_few(report) else "")
    if "gold" in report.evaluations and not report.classifier.original_recipe:
        said.append(
            "Gold was trained by a recipe that somebody chose, not by the one that made this classifier: part of what "
            "tells them apart may be the recipe."
        )
    if count < FEW_IMAGES:
        said.append(f"With {pictures}, one more or less is {percent(1 / count)}.")
    said.append(_seeds(report))
    return " ".join(filter(None, said))


def _seeds(report: Report) -> str:
    """Of how many seeds the verdicts are, and what others would tell."""
    if "seeds" not in report.parts:
        return "One seed, one classifier; two more seeds would tell how stable this is."
    count = len(report.parts["seeds"].facts["runs"])
    return f"These verdicts are of one of {count} seeds, whose spread is shown below, and of one classifier."


def _names_few(report: Report) -> bool:
    score = _score(report, "after", eval_forget_set(report)) if "accuracy" in report.parts else None
    return score is not None and score["accuracy"] <= SLIGHT


def _score(report: Report, model: str, name: str) -> Any:
    """A model's score on a set; None where there is no such model."""
    return report.parts["accuracy"].facts.get(model, {}).get(name)


def _equal(one: Score, other: Score) -> bool:
    overlap = one["low"] <= other["high"] and other["low"] <= one["high"]
    return overlap or abs(one["accuracy"] - other["accuracy"]) <= MIN_DIFFERENCE


def _grade(before: Score, after: Score, gold: Score) -> Tone:
    if after["accuracy"] <= gold["accuracy"] or _equal(after, gold):
        return "good"
    way = before["accuracy"] - gold["accuracy"]
    return "middling" if way > 0 and before["accuracy"] - after["accuracy"] >= NEARLY * way else "bad"


def _graded(before: Score, after: Score, gold: Score) -> Tone:
    """The grade, where before and gold are far enough apart to give one."""
    return "unknown" if _equal(before, gold) else _grade(before, after, gold)


def _severity(tone: Tone) -> int:
    return ("unknown", "good", "middling", "bad").index(tone)
