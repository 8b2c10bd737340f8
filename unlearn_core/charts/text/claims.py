"""What each kind of evidence says of the forget set: the one source of the verdict's sentence and of the warnings.

A claim is made only where chance does not explain it, and compared with the retrained model where there is one:

* accuracy: the rule of `domain/verdicts/rule.py`, on the set that decides.
* relearning: every draw is faster, or slower, than every draw of the retrained model.
* membership inference: the strongest attack whose AUC interval lies beyond one half and beyond the retrained model's.
* uncertain predictions, where no attack was run: those of half of the forget images have a higher entropy than nine in
  ten of the retrained model's.
* shadow models: the success rate of the likelihood-ratio attack has an interval above one half.
* challenge score: it is lower than that of retrained models by more than `SIGNIFICANT_ERRORS` standard errors.
"""

from collections.abc import Mapping
from math import hypot, inf, isfinite
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.charts.drawing.wording import eval_forget_set, number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.privacy import (
    AttackMetrics,
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    RelearnResult,
    RelearnTimes,
)
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts
from unlearn_core.domain.verdicts.rule import ForgetFinding, deciding_set

Direction = Literal["left", "alike", "beyond", "distinguishable", "unclear"]
"""Compared with the retrained model: more of what was learned, as much, or less; told apart without a direction; or
nothing is shown."""
Evidence = Literal["accuracy", "relearning", "membership inference", "entropy", "shadow models", "challenge score"]

CHANCE = 0.5
SIGNIFICANT_ERRORS = 2
_QUANTILES = (("after", 0.5), ("gold", 0.9))
_DIRECTIONS: Mapping[ForgetFinding, Direction] = {
    "not": "left",
    "partly": "left",
    "more than retrained": "beyond",
    "as retrained": "alike",
    "cannot tell": "unclear",
}


class Claim(NamedTuple):
    """What one kind of evidence says of the unlearned model and the forget set; `words` continue a sentence."""

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
    familiar = _membership(report) if MembershipResult in report else _entropy(report)
    made = (_accuracy(report), _relearning(report), familiar, _shadow_models(report), _score(report))
    return [claim for claim in made if claim is not None]


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


def _membership(report: Report) -> Claim:
    result = report[MembershipResult]
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


def _entropy(report: Report) -> Claim | None:
    if "gold" not in report.evaluations or LogitsResult not in report:
        return None
    rows, entropy = getattr(report.split, eval_forget_set(report)), report[LogitsResult].entropy
    if not len(rows):
        return None
    after, gold = (float(np.quantile(entropy[model][rows], share)) for model, share in _QUANTILES)
    if after <= gold:
        return Claim("entropy", "unclear", "predictions are no more uncertain than those of the retrained model")
    words = (
        f"half of the forget images have an entropy above {number(after, 2)} nats, and nine in ten are below "
        f"{number(gold, 2)} in the retrained model: a model not trained on them would be more certain"
    )
    return Claim("entropy", "beyond", words)


def _shadow_models(report: Report) -> Claim | None:
    result = report.get(LiraResult)
    if result is None:
        return None
    if result.low <= CHANCE:
        return Claim("shadow models", "unclear", "an attacker with shadow models finds no difference")
    words = (
        f"an attacker with shadow models tells it from a retrained model in {percent(result.success_rate, 0)} of cases"
    )
    return Claim("shadow models", "distinguishable", words)


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
