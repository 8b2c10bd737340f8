"""What attacks show: on the forget images, and on the retained ones. The rules stand in `claims`."""

from collections.abc import Mapping
from math import hypot, isfinite
from typing import Literal, NamedTuple

from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.charts.text.claim import CHANCE, SIGNIFICANT_ERRORS, Claim, Direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import (
    AttackedSide,
    AttackMetrics,
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    RetainedMembershipResult,
    RmiaResult,
)


class Attack(NamedTuple):
    """A membership attack on after, and the same attack on gold if there is one."""

    name: str
    after: AttackMetrics
    gold: AttackMetrics | None


def membership_claim(report: Report) -> Claim | None:
    """Return what the strongest attack shows, else the one that was compared image by image; None if none was run."""
    result = report.get(MembershipResult)
    if result is None:
        return None
    golds = result.attacks.get("gold", {})
    attacks = [Attack(name, after, golds.get(name)) for name, after in result.attacks["after"].items()]
    shown = [attack for attack in attacks if _beyond_chance(attack)]
    if not shown:
        unclear = Claim("membership inference", "unclear", "membership inference finds no difference")
        return _paired_claim(report) or unclear
    strongest = max(shown, key=lambda attack: abs(attack.after.auc - CHANCE))
    gold = "no retrained model yet" if strongest.gold is None else f"retrained model: {percent(strongest.gold.auc, 0)}"
    pairs = f"{percent(strongest.after.auc, 0)} of all pairs ({gold})"
    return _membership("left" if strongest.after.auc > CHANCE else "beyond", strongest.name, pairs)


def _paired_claim(report: Report) -> Claim | None:
    """Return what the attack by confidence shows whose difference from gold was tested on the same images."""
    result = report.get(RetainedMembershipResult)
    attacked = None if result is None else result.sides.get("forget")
    direction = "unclear" if attacked is None or "gold" not in attacked.models else attack_direction(attacked)
    if attacked is None or direction == "unclear":
        return None
    after, gold = (attacked.models[model].auc for model in ("after", "gold"))
    return _membership(direction, "confidence", f"{percent(after)} of all pairs (retrained model: {percent(gold)})")


def _membership(direction: Direction, attack: str, pairs: str) -> Claim:
    if direction == "left":
        words = (
            f"membership inference finds something left: by {attack}, a forget image looks more familiar than a "
            f"held-out image in {pairs}"
        )
        return Claim("membership inference", direction, words)
    words = (
        f"membership inference finds forget images less familiar than held-out images, which itself reveals them: by "
        f"{attack}, a forget image looks more familiar in only {pairs}"
    )
    return Claim("membership inference", direction, words)


def _beyond_chance(attack: Attack) -> bool:
    """Return whether the interval lies beyond one half and beyond gold's interval, on the same side."""
    after, gold = attack.after, attack.gold
    return after.low > max(CHANCE, gold.high if gold else CHANCE) or after.high < min(
        CHANCE, gold.low if gold else CHANCE
    )


def exposure_direction(attacked: AttackedSide) -> Direction:
    """Return whether an attack ranks members higher than in the retrained model: where the interval excludes 0."""
    gap = attacked.differences["after-gold"]
    if gap.low > 0:
        return "left"
    return "beyond" if gap.high < 0 else "unclear"


def attack_direction(attacked: AttackedSide) -> Direction:
    """Return whether forget images rank higher, or lower, than held-out ones, and than in gold if it was attacked."""
    after, gap = attacked.models["after"], attacked.differences.get("after-gold")
    if after.auc_low > CHANCE and (gap is None or gap.low > 0):
        return "left"
    return "beyond" if after.auc_high < CHANCE and (gap is None or gap.high < 0) else "unclear"


def exposure_claim(report: Report) -> Claim | None:
    """Return whether an attack shows retained images to be more exposed than after retraining.

    None if none was made, or without a retrained model.
    """
    result = report.get(RetainedMembershipResult)
    attacked = None if result is None else result.sides.get("retain")
    if attacked is None or "after-gold" not in attacked.differences:
        return None
    images, models = f"retained {report.dataset.item_noun}s", attacked.models
    pair = f"AUC {number(models['after'].auc, 3)}, retrained model {number(models['gold'].auc, 3)}"
    conclusions: Mapping[Direction, str] = {
        "left": f"{images} are more exposed to membership inference than after retraining ({pair})",
        "beyond": f"{images} are less exposed to membership inference than after retraining ({pair})",
        "unclear": f"{images} are not shown to be more exposed to membership inference than after retraining",
    }
    direction = exposure_direction(attacked)
    return Claim("membership of retained images", direction, conclusions[direction])


def reference_model_claim(report: Report) -> Claim | None:
    """Return what the attack with reference models (RMIA) shows; None if it was not made."""
    result = report.get(RmiaResult)
    if result is None:
        return None
    direction = attack_direction(result.attacked)
    attack, models = f"an attack with {count_references(result)}", result.attacked.models
    gold = f" (retrained model: {percent(models['gold'].auc, 0)})" if "gold" in models else ""
    pairs = f"{percent(models['after'].auc, 0)} of all pairs{gold}"
    conclusions: Mapping[Direction, str] = {
        "left": f"finds something left: a forget image ranks above a held-out image in {pairs}",
        "beyond": f"finds forget images less familiar than held-out images, which itself reveals them: a forget image "
        f"ranks above in only {pairs}",
        "unclear": "finds no difference",
    }
    return Claim("reference models", direction, f"{attack} {conclusions[direction]}")


def count_references(result: RmiaResult) -> str:
    """Return how many reference models there were, as "1 reference model"."""
    count = len(result.reference_golds)
    return f"{count} reference model{'s' if count > 1 else ''}"


def shadow_model_claim(report: Report) -> Claim | None:
    """Return what the likelihood-ratio attack with shadow models shows; None if it was not run."""
    result = report.get(LiraResult)
    if result is None:
        return None
    if shadow_model_direction(result) == "unclear":
        return Claim("shadow models", "unclear", "an attacker with shadow models finds no difference")
    words = (
        f"an attacker with shadow models tells it from a retrained model in {percent(result.success_rate, 0)} of cases"
    )
    return Claim("shadow models", "distinguishable", words)


def shadow_model_direction(result: LiraResult) -> Direction:
    """Return whether the attack tells unlearned from retrained models; without its error nothing is shown."""
    return "distinguishable" if result.low > CHANCE else "unclear"


def score_claim(report: Report) -> Claim | None:
    result = report.get(NeuripsScoreResult)
    if result is None:
        return None
    if score_relation(result) != "lower":
        return Claim("challenge score", "unclear", "the challenge score finds no difference")
    pair = f"{number(result.after.score, 3)}, retrained models {number(result.ceiling.score, 3)}"
    return Claim("challenge score", "distinguishable", f"the challenge score tells it from retrained models ({pair})")


def score_relation(result: NeuripsScoreResult) -> Literal["lower", "higher", "unclear", "undefined"]:
    """Return how the score relates to that of retrained models, by its standard error over images."""
    gap = result.ceiling.score - result.after.score
    error = hypot(result.after.score_error, result.ceiling.score_error)
    if not isfinite(gap) or not isfinite(error):
        return "undefined"
    if abs(gap) <= SIGNIFICANT_ERRORS * error:
        return "unclear"
    return "lower" if gap > 0 else "higher"
