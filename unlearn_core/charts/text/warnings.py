"""What should not be overlooked in a run: forgetting beyond gold, damage, and knowledge that is left.

Each flag is raised only where chance does not explain it: by intervals that do not overlap, against gold where there is
one. A flag that is not raised proves nothing either, and says so.

* Beyond gold (the Streisand effect): by some attack the forgotten pictures are now *stranger* than unseen ones, with an
  AUC whose interval lies under one half and under gold's; or, where no attack could be tried, it hesitates more over
  half of the forgotten pictures than gold does over nine in ten.
* Damage: unseen pictures of what is kept are named rightly less often than by gold (without gold: than before), by more
  than the intervals and POINT explain.
* Knowledge left: by some attack the forgotten pictures are more familiar than unseen ones, with an interval over one
  half and over gold's; or the verdict on forgetting is that it did not.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.wording import (
    capitalize,
    describe_change,
    eval_forget_set,
    is_class_request,
    join_names,
    number,
    percent,
    retain_set_label,
)
from unlearn_core.charts.text import verdict
from unlearn_core.domain.report import Report

CHANCE = 0.5
MIN_DIFFERENCE = 0.01
"""A loss of accuracy that is not worth a flag, as a share."""
_HESITATION = (("after", 0.5), ("gold", 0.9))


class ReportWarning(NamedTuple):
    """What was found, in two or three words, the figures behind it, and what it does not prove."""

    kind: Literal["beyond", "damage", "left"]
    title: str
    words: str
    doubt: str


def report_warnings(report: Report) -> list[ReportWarning]:
    """Everything that is worth a flag, the gravest first."""
    return [
        flag
        for flag in (collateral_damage(report), residual_knowledge(report), over_forgetting(report))
        if flag is not None
    ]


def no_warning_text(report: Report) -> str:
    """What it means that no flag is raised, by what could be looked at."""
    strange = "no forgetting beyond gold" if "gold" in report.evaluations else "no pictures stranger than unseen ones"
    looked = ["no damage to the rest"] if "accuracy" in report.parts else []
    looked += ["no knowledge left", strange] if "membership" in report.parts else []
    if not looked:
        return "Nothing could be looked at that would raise a flag."
    said = f"No flag: simple measures found {join_names(looked)}. A better attack might."
    return said if "membership" in report.parts else f"{said} Membership was not measured."


def over_forgetting(report: Report) -> ReportWarning | None:
    """Whether the forgotten pictures were made stranger than pictures that it never saw."""
    worst = _attack(report, sign=-1)
    words = _hesitates(report) if worst is None else _strange(*worst)
    if words is None:
        return None
    doubt = (
        "Who finds them so needs the net's answers and unseen pictures to compare with; it does not say that what is "
        "in them can be read from it."
    )
    title = "forgotten beyond gold" if "gold" in report.evaluations else "stranger than unseen"
    return ReportWarning("beyond", title, f"{words} (the Streisand effect).", doubt)


def _strange(name: str, own: dict[str, Any], gold: dict[str, Any] | None) -> str:
    return (
        f"By {name} a forgotten picture looks more familiar than an unseen one in only {percent(own['auc'], 0)} of all "
        f"pairs{_golds(gold)}: they are stranger now than pictures that it never saw, which points at them"
    )


def _hesitates(report: Report) -> str | None:
    """Where no attack was tried, hesitation (entropy in nats) beside gold's tells, if there is gold."""
    if "membership" in report.parts or "gold" not in report.evaluations or "logits" not in report.parts:
        return None
    rows, arrays = getattr(report.split, eval_forget_set(report)), report.parts["logits"].arrays
    after, gold = (float(np.quantile(arrays[f"{model}_entropy"][rows], share)) for model, share in _HESITATION)
    if after <= gold:
        return None
    return (
        f"It hesitates over half of the forgotten pictures by more than {number(after, 2)} nats, gold over fewer than "
        f"one in ten (nine in ten stay under {number(gold, 2)}): a net that never saw them would not be so unsure"
    )


def residual_knowledge(report: Report) -> ReportWarning | None:
    """Whether what was forgotten is still named, or an attack still finds the forgotten pictures familiar."""
    worst = _attack(report, sign=1)
    if worst is None:
        return _still_predicted(report)
    name, own, gold = worst
    words = (
        f"By {name} a forgotten picture looks more familiar than an unseen one in {percent(own['auc'], 0)} of all pairs"
        f"{_golds(gold)}: something of having been trained on them is left."
    )
    doubt = "It is left on average; which picture is remembered it does not say, nor that it could be rebuilt."
    return ReportWarning("left", "knowledge left", words, doubt)


def _still_predicted(report: Report) -> ReportWarning | None:
    """The plainest sign: the verdict on forgetting is that it did not."""
    if "accuracy" not in report.parts or verdict.forget_verdict(report).tone != "bad":
        return None
    doubt = "Where attacks on membership find nothing, it is the class that it knows, not these pictures of it."
    words = "What was to be forgotten is still named, far more often than it should be."
    return ReportWarning("left", "knowledge left", words, doubt)


def _attack(report: Report, *, sign: int) -> tuple[str, dict[str, Any], dict[str, Any] | None] | None:
    """The attack that tells most in one direction (1: familiar, -1: strange), where chance does not explain it."""
    if "membership" not in report.parts:
        return None
    models = report.parts["membership"].facts["models"]
    found = []
    for name, own in models["after"].items():
        gold = models.get("gold", {}).get(name)
        near, far = ("low", "high") if sign > 0 else ("high", "low")
        bounds = [CHANCE] + ([gold[far]] if gold else [])
        if all(sign * (own[near] - bound) > 0 for bound in bounds):
            found.append((name, own, gold))
    return max(found, key=lambda one: sign * (one[1]["auc"] - CHANCE), default=None)


def _golds(gold: dict[str, Any] | None) -> str:
    return " (there is no gold yet to compare with)" if gold is None else f" (gold: {percent(gold['auc'], 0)})"


def collateral_damage(report: Report) -> ReportWarning | None:
    """Whether what is kept suffered more than chance explains."""
    if "accuracy" not in report.parts:
        return None
    scores = {model: sets["retain_test"] for model, sets in report.parts["accuracy"].facts.items()}
    aim = "gold" if "gold" in scores else "before"
    after, other = scores["after"], scores[aim]
    if not after["of"] or after["high"] >= other["low"] or other["accuracy"] - after["accuracy"] <= MIN_DIFFERENCE:
        return None
    lost = describe_change(scores["before"]["accuracy"], after["accuracy"])
    words = f"{capitalize(retain_set_label(report))} {lost} on unseen pictures"
    words += f"; gold {describe_change(scores['before']['accuracy'], other['accuracy'])}" if aim == "gold" else ""
    words += _worst_class(report)
    doubt = "Some of it may come back by training on; how much, this run does not say."
    return ReportWarning("damage", "damage", f"{words}.", doubt)


def _worst_class(report: Report) -> str:
    """The kept class that lost most beside gold, where there are several."""
    if "confusion" not in report.parts or not is_class_request(report):
        return ""
    scores = report.parts["confusion"].facts
    if "gold" not in scores:
        return ""
    gone = set(report.spec.request.forget.classes) if report.spec.request.forget.kind == "classes" else set()
    lost = {
        place: own["accuracy"] - after["accuracy"]
        for place, (own, after) in enumerate(zip(scores["gold"], scores["after"], strict=True))
        if place not in gone and own["of"]
    }
    worst = max(lost, key=lambda place: lost[place], default=None)
    if worst is None or lost[worst] <= MIN_DIFFERENCE:
        return ""
    after, gold = (percent(scores[model][worst]["accuracy"], 0) for model in ("after", "gold"))
    return f"; worst off is {report.dataset.classes[worst]} ({after}, gold {gold})"
