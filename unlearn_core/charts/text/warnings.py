"""Warnings on a run: over-forgetting (the Streisand effect), collateral damage, and residual knowledge.

Each warning is raised only where chance does not explain it: by intervals that do not overlap, against gold where there
is one. The absence of a warning proves nothing, and the text for that case says so.

* Over-forgetting: to some attack the forget images look *less* familiar than held-out images, with an AUC whose
  interval lies below one half and below gold's; or, where no attack could be run, the predictions of half of the forget
  images are more uncertain than gold's of nine in ten.
* Damage: test images of the retain set are classified correctly less often than by gold (without gold: than before),
  by more than the intervals and MIN_DIFFERENCE explain.
* Residual knowledge: to some attack the forget images look more familiar than held-out images, with an interval above
  one half and above gold's; or the verdict is "not forgotten".
* Retained copies: images that the model may keep are copies of forget images. This is no matter of chance.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.wording import (
    describe_change,
    eval_forget_set,
    is_class_request,
    join_words,
    number,
    percent,
    retain_test_label,
)
from unlearn_core.charts.text import verdict
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.predictions import AccuracyResult, ConfusionResult
from unlearn_core.domain.results.privacy import AttackMetrics, MembershipResult

CHANCE = 0.5
MIN_DIFFERENCE = 0.01
"""A loss of accuracy up to this share raises no warning."""
_QUANTILES = (("after", 0.5), ("gold", 0.9))


class ReportWarning(NamedTuple):
    """A finding: its title in two or three words, the numbers behind it, and what it does not prove."""

    kind: Literal["beyond", "copies", "damage", "left"]
    title: str
    words: str
    doubt: str


class Attack(NamedTuple):
    """A membership attack on after, and the same attack on gold if there is one."""

    name: str
    after: AttackMetrics
    gold: AttackMetrics | None


def report_warnings(report: Report) -> list[ReportWarning]:
    """Return all warnings, the most serious first."""
    return [
        warning
        for warning in (
            collateral_damage(report),
            residual_knowledge(report),
            over_forgetting(report),
            retained_copies(report),
        )
        if warning is not None
    ]


def no_warning_text(report: Report) -> str:
    """Return what it means that no warning was raised, by the checks that could be made."""
    checked = ["damage to the retain set"] if AccuracyResult in report else []
    unfamiliar = "over-forgetting" if "gold" in report.evaluations else "forget images less familiar than unseen ones"
    checked += ["residual knowledge", unfamiliar] if MembershipResult in report else []
    if not checked:
        return "None of the checks for warnings could be made."
    found = join_words([f"no {finding}" for finding in checked])
    text = f"No warning: the basic checks found {found}. A stronger attack might."
    return text if MembershipResult in report else f"{text} Membership was not measured."


def over_forgetting(report: Report) -> ReportWarning | None:
    """Warn if the forget images look less familiar than held-out images."""
    worst = _attack(report, sign=-1)
    words = _uncertain(report) if worst is None else _unfamiliar(worst)
    if words is None:
        return None
    doubt = (
        "To find them, an attacker needs the model's outputs and test images to compare with. It does not follow that "
        "the content of the images can be reconstructed."
    )
    title = "over-forgetting" if "gold" in report.evaluations else "less familiar than unseen"
    return ReportWarning("beyond", title, f"{words} (the Streisand effect).", doubt)


def retained_copies(report: Report) -> ReportWarning | None:
    """Warn if images outside of the forget set are copies of forget images."""
    result = report.get(CopiesResult)
    words = "" if result is None else copies_sentence(result.counts, report.dataset.item_noun)
    if not words:
        return None
    doubt = "Pixels were compared: two images may also show the same thing without being copies."
    return ReportWarning("copies", "retained copies", words, doubt)


def copies_sentence(counts: Mapping[str, int], noun: str) -> str:
    """Say how many images of the retain sets are copies of forget images, and what follows; "" without any."""
    train, held_out = counts["retain_train"], counts["retain_val"] + counts["retain_test"]
    said = []
    if train:
        stays = "what it teaches stays" if train == 1 else "what they teach stays"
        said.append(f"{_copies(train, f'retained training {noun}')} of forget {noun}s: {stays}.")
    if held_out:
        said.append(
            f"{_copies(held_out, f'retained validation or test {noun}')} of forget {noun}s: the accuracy there may "
            "fall without harm to the rest."
        )
    return " ".join(said)


def _copies(count: int, noun: str) -> str:
    return f"1 {noun} is an exact or near copy" if count == 1 else f"{count:,} {noun}s are exact or near copies"


def _unfamiliar(attack: Attack) -> str:
    return (
        f"By {attack.name}, a forget image looks more familiar than a held-out image in only "
        f"{percent(attack.after.auc, 0)} of all pairs{_golds(attack)}: forget images now look less familiar than "
        f"held-out images, which itself reveals them"
    )


def _uncertain(report: Report) -> str | None:
    """Where no attack was run, compare the entropy of the predictions (in nats) with gold's, if there is gold."""
    if MembershipResult in report or "gold" not in report.evaluations or LogitsResult not in report:
        return None
    rows, entropy = getattr(report.split, eval_forget_set(report)), report[LogitsResult].entropy
    after, gold = (float(np.quantile(entropy[model][rows], share)) for model, share in _QUANTILES)
    if after <= gold:
        return None
    return (
        f"On half of the forget images the entropy is above {number(after, 2)} nats, in the retrained model on fewer "
        f"than one in ten (nine in ten are below {number(gold, 2)}): a model not trained on them would be more certain"
    )


def residual_knowledge(report: Report) -> ReportWarning | None:
    """Warn if the forget images still look familiar to an attack, or are still classified correctly."""
    worst = _attack(report, sign=1)
    if worst is None:
        return _still_predicted(report)
    words = (
        f"By {worst.name}, a forget image looks more familiar than a held-out image in "
        f"{percent(worst.after.auc, 0)} of all pairs{_golds(worst)}: some of what was learned from them is left."
    )
    doubt = "This is an average: it does not show which images are remembered, nor that they could be reconstructed."
    return ReportWarning("left", "residual knowledge", words, doubt)


def _still_predicted(report: Report) -> ReportWarning | None:
    """Warn if the verdict is "not forgotten", the plainest sign."""
    if AccuracyResult not in report or verdict.forget_verdict(report).tone != "bad":
        return None
    doubt = "Where membership attacks find nothing, the class is remembered rather than these images of it."
    words = "The forget set is still classified correctly, far more often than it should be."
    return ReportWarning("left", "residual knowledge", words, doubt)


def _attack(report: Report, *, sign: int) -> Attack | None:
    """Return the strongest attack in one direction (1: familiar, -1: unfamiliar) that chance does not explain."""
    result = report.get(MembershipResult)
    if result is None:
        return None
    golds = result.attacks.get("gold", {})
    attacks = [Attack(name, after, golds.get(name)) for name, after in result.attacks["after"].items()]
    found = [attack for attack in attacks if _beyond_chance(attack, sign)]
    return max(found, key=lambda attack: sign * (attack.after.auc - CHANCE), default=None)


def _beyond_chance(attack: Attack, sign: int) -> bool:
    """Return whether the interval lies beyond one half and beyond gold's interval, in the direction of the sign."""
    after, gold = attack.after, attack.gold
    if sign > 0:
        return after.low > max(CHANCE, gold.high if gold else CHANCE)
    return after.high < min(CHANCE, gold.low if gold else CHANCE)


def _golds(attack: Attack) -> str:
    gold = attack.gold
    return " (no retrained model yet)" if gold is None else f" (retrained model: {percent(gold.auc, 0)})"


def collateral_damage(report: Report) -> ReportWarning | None:
    """Warn if the accuracy on the retain set fell by more than chance explains."""
    if AccuracyResult not in report:
        return None
    scores = {model: sets["retain_test"] for model, sets in report[AccuracyResult].scores.items()}
    aim = "gold" if "gold" in scores else "before"
    after, other = scores["after"], scores[aim]
    if not after.total or after.high >= other.low or other.accuracy - after.accuracy <= MIN_DIFFERENCE:
        return None
    lost = describe_change(scores["before"].accuracy, after.accuracy)
    words = f"On {retain_test_label(report)}, the unlearned model {lost}"
    words += (
        f"; the retrained model {describe_change(scores['before'].accuracy, other.accuracy)}" if aim == "gold" else ""
    )
    words += _worst_class(report)
    doubt = "Further training may recover some of it; this run does not show how much."
    return ReportWarning("damage", "damage", f"{words}.", doubt)


def _worst_class(report: Report) -> str:
    """Return the retained class that lost most compared with gold, where there are several."""
    if ConfusionResult not in report or not is_class_request(report):
        return ""
    scores = report[ConfusionResult].scores
    if "gold" not in scores:
        return ""
    gone = set(report.spec.request.forget.classes) if report.spec.request.forget.kind == "classes" else set()
    lost = {
        place: own.accuracy - after.accuracy
        for place, (own, after) in enumerate(zip(scores["gold"], scores["after"], strict=True))
        if place not in gone and own.total
    }
    worst = max(lost, key=lambda place: lost[place], default=None)
    if worst is None or lost[worst] <= MIN_DIFFERENCE:
        return ""
    after, gold = (percent(scores[model][worst].accuracy, 0) for model in ("after", "gold"))
    return f"; the worst class is {report.dataset.classes[worst]} ({after}, retrained {gold})"
