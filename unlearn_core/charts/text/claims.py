"""What each kind of evidence says: the one source of the verdict's sentence, of warnings, and of what charts conclude.

A claim is made only where chance does not explain it, and compared with the retrained model where there is one:

* accuracy: the rule of `domain/verdicts/rule.py`, on the set that decides.
* relearning: every draw is faster, or slower, than every draw of the retrained model.
* membership inference: the strongest attack whose AUC interval lies beyond one half and beyond the retrained model's.
* entropy and confidence (the logit of the true class): the median over the forget images lies beyond nine in ten of
  the retrained model's. They are for their charts; the entropy also for the verdict where no attack was run.
* shadow models: the success rate of the likelihood-ratio attack has an interval above one half.
* challenge score: it is lower than that of retrained models by more than `SIGNIFICANT_ERRORS` standard errors.
* linear probe: a probe on the features finds more, or fewer, forget images than one on those of the retrained model, by
  the paired test of the rule.
* representation: the features of the last layer are less similar (CKA) to the retrained model's than those of a second
  retrained model, by more than `SIGNIFICANT_ERRORS` standard errors.
"""

from collections.abc import Mapping
from math import hypot, inf, isfinite, nan
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.wording import eval_forget_set, number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.privacy import (
    AttackedSide,
    AttackMetrics,
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    RelearnResult,
    RelearnTimes,
)
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts, probe_verdict
from unlearn_core.domain.verdicts.rule import ForgetFinding, Relation, deciding_set

Direction = Literal["left", "alike", "beyond", "distinguishable", "unclear"]
"""Of the unlearned model compared with the retrained one: more of what was learned, as much, or less; told apart
without a direction; or nothing is shown."""
Evidence = Literal[
    "accuracy",
    "relearning",
    "membership inference",
    "entropy",
    "confidence",
    "shadow models",
    "challenge score",
    "linear probe",
    "representation",
]

CHANCE = 0.5
SIGNIFICANT_ERRORS = 2
NINE_IN_TEN = (0.1, 0.9)
"""The quantiles of the retrained model's values that the median of the unlearned model's must lie beyond."""
_PROBE_DIRECTIONS: Mapping[Relation, Direction] = {
    "higher": "left",
    "lower": "beyond",
    "lost": "beyond",
    "equal": "alike",
    "unclear": "unclear",
}
_DIRECTIONS: Mapping[ForgetFinding, Direction] = {
    "not": "left",
    "partly": "left",
    "more than retrained": "beyond",
    "as retrained": "alike",
    "cannot tell": "unclear",
}


class Claim(NamedTuple):
    """What one kind of evidence says of the unlearned model on the forget set; `words` continue a sentence."""

    evidence: Evidence
    direction: Direction
    words: str


class Attack(NamedTuple):
    """A membership attack on after, and the same attack on gold if there is one."""

    name: str
    after: AttackMetrics
    gold: AttackMetrics | None


def forget_claims(report: Report) -> list[Claim]:
    """Return one claim for each kind of evidence that the report has, accuracy first."""
    familiar = membership_claim(report) or entropy_claim(report)
    made = (_accuracy(report), _relearning(report), familiar, shadow_model_claim(report), _score(report))
    return [claim for claim in (*made, probe_claim(report), representation_claim(report)) if claim is not None]


def _accuracy(report: Report) -> Claim | None:
    found = forget_verdicts(report)
    if not found:
        return None
    one = found[deciding_set(found)]
    words = f"accuracy finds {percent(one.retrained.accuracy)}, retrained {percent(one.retrained.reference)}"
    return Claim("accuracy", _DIRECTIONS[one.finding], words)


def _relearning(report: Report) -> Claim | None:
    result = report.get(RelearnResult)
    if result is None or "gold" not in result.models:
        return None
    after, gold = result.models["after"], result.models["gold"]
    direction = relearning_direction(after, gold)
    pair = f"{relearn_steps(after)}, the retrained model {relearn_steps(gold)}"
    words = {"left": f"relearning finds something left ({pair})", "beyond": f"relearning is slower ({pair})"}
    return Claim("relearning", direction, words.get(direction, "relearning finds no difference"))


def relearning_direction(after: RelearnTimes, gold: RelearnTimes) -> Direction:
    """Return which of the two relearns faster; where their draws overlap nothing is shown."""
    ours, theirs = ([inf if time is None else time for time in (*times.by_draw, times.time)] for times in (after, gold))
    if max(ours) < min(theirs):
        return "left"
    return "beyond" if min(ours) > max(theirs) else "unclear"


def relearn_steps(times: RelearnTimes) -> str:
    """Return the time as "8 steps", "1 step", "no step" or "never"."""
    if times.time is None:
        return "never"
    return f"{times.time or 'no'} step{'s' if times.time > 1 else ''}"


def membership_claim(report: Report) -> Claim | None:
    """Return what the strongest attack shows; None if none was run."""
    result = report.get(MembershipResult)
    if result is None:
        return None
    golds = result.attacks.get("gold", {})
    attacks = [Attack(name, after, golds.get(name)) for name, after in result.attacks["after"].items()]
    shown = [attack for attack in attacks if _beyond_chance(attack)]
    if not shown:
        return Claim("membership inference", "unclear", "membership inference finds no difference")
    strongest = max(shown, key=lambda attack: abs(attack.after.auc - CHANCE))
    gold = "no retrained model yet" if strongest.gold is None else f"retrained model: {percent(strongest.gold.auc, 0)}"
    pairs = f"{percent(strongest.after.auc, 0)} of all pairs ({gold})"
    if strongest.after.auc > CHANCE:
        words = (
            f"membership inference finds something left: by {strongest.name}, a forget image looks more familiar than "
            f"a held-out image in {pairs}"
        )
        return Claim("membership inference", "left", words)
    words = (
        f"membership inference finds forget images less familiar than held-out images, which itself reveals them: by "
        f"{strongest.name}, a forget image looks more familiar in only {pairs}"
    )
    return Claim("membership inference", "beyond", words)


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


def entropy_claim(report: Report) -> Claim | None:
    """Return whether predictions on forget images are far more, or less, uncertain than the retrained model's."""
    side, after, limit = _beyond_most(report, "entropy")
    if side == "above":
        words = (
            f"half of the forget images have an entropy above {number(after, 2)} nats, and nine in ten are below "
            f"{number(limit, 2)} in the retrained model: a model not trained on them would be more certain"
        )
        return Claim("entropy", "beyond", words)
    if side == "below":
        words = (
            f"half of the forget images have an entropy below {number(after, 2)} nats, and nine in ten are above "
            f"{number(limit, 2)} in the retrained model: a model not trained on them would be less certain"
        )
        return Claim("entropy", "distinguishable", words)
    unclear = Claim("entropy", "unclear", "predictions are about as uncertain as those of the retrained model")
    return unclear if side else None


def confidence_claim(report: Report) -> Claim | None:
    """Return whether it is far more, or less, confident in the true class than the retrained model."""
    side, _, _ = _beyond_most(report, "true_logit")
    if not side:
        return None
    found: Mapping[str, tuple[Direction, str]] = {
        "above": ("left", "it is more confident in them than nine in ten times in a model not trained on them"),
        "below": ("beyond", "it is less confident in them than nine in ten times in a model not trained on them"),
        "within": ("unclear", "its confidence in them is in the range of the retrained model's"),
    }
    return Claim("confidence", *found[side])


def _beyond_most(report: Report, values: Literal["entropy", "true_logit"]) -> tuple[str, float, float]:
    """Return whether the median over forget images is "above", "below" or "within" most of the retrained model's.

    With it come that median and the quantile of the retrained model that it lies beyond; "" if one of them is missing.
    """
    rows = getattr(report.split, eval_forget_set(report))
    if "gold" not in report.evaluations or LogitsResult not in report or not len(rows):
        return "", nan, nan
    found = getattr(report[LogitsResult], values)
    after = float(np.median(found["after"][rows]))
    low, high = (float(np.quantile(found["gold"][rows], share)) for share in NINE_IN_TEN)
    if after > high:
        return "above", after, high
    return ("below", after, low) if after < low else ("within", after, nan)


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


def _score(report: Report) -> Claim | None:
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


def probe_claim(report: Report) -> Claim | None:
    """Return whether features hold more of the forget set than those of the retrained model; None if not probed."""
    found = probe_verdict(report)
    if found is None:
        return None
    own, noun = found.comparison, report.dataset.item_noun
    pair = f"a linear probe on its features finds {percent(own.accuracy)} of {own.images:,} forget {noun}s, in the "
    pair += f"retrained model {percent(own.reference)}"
    conclusions: Mapping[Direction, str] = {
        "left": f"features still hold {report.forget_set_title}",
        "beyond": f"features hold less of {report.forget_set_title}",
        "alike": "features hold as much",
        "unclear": "no difference is shown",
    }
    direction = _PROBE_DIRECTIONS[found.relation]
    return Claim("linear probe", direction, f"{conclusions[direction]}: {pair}")


def representation_claim(report: Report) -> Claim | None:
    """Return whether its features are less like the retrained model's than another's; None without a second one."""
    result = report.get(CkaResult)
    gap = None if result is None else result.gap
    if gap is None:
        return None
    if gap.difference > -SIGNIFICANT_ERRORS * gap.error:
        return Claim("representation", "unclear", "features are as similar to the retrained model's as another's are")
    pair = f"{number(gap.after_gold, 2)}, two retrained models {number(gap.gold_twin, 2)}"
    words = f"features in {gap.layer} are less similar to those of the retrained model ({pair})"
    return Claim("representation", "distinguishable", words)
