"""What each kind of evidence says: the one source of the verdict's sentence, of warnings, and of what charts conclude.

A claim is made only where chance does not explain it, and compared with the retrained model where there is one:

* accuracy: the rule of `domain/verdicts/rule.py`, on the set that decides.
* relearning: every draw is faster, or slower, than every draw of the retrained model.
* membership inference: the strongest attack whose AUC interval lies beyond one half and beyond the retrained model's;
  if there is none, the attack by confidence that was compared with the retrained model on the same images, by the rule
  of the attack with reference models.
* entropy and confidence (the logit of the true class): the median over the forget images lies beyond nine in ten of
  the retrained model's. They are for their charts; the entropy also for the verdict where no attack was run.
* reference models: the AUC interval of the attack with reference models (RMIA) lies beyond one half, and where a
  retrained model was attacked likewise, the interval of the difference from its AUC excludes 0, on the same side.
* shadow models: the success rate of the likelihood-ratio attack has an interval above one half.
* challenge score: it is lower than that of retrained models by more than `SIGNIFICANT_ERRORS` standard errors.
* membership of retained images: the interval of the difference from the AUC of the same attack on the retrained model
  excludes 0. It is a claim on the retain set, so it is in no verdict on the forget set.
* linear probe: a probe on the features finds more, or fewer, forget images than one on those of the retrained model, by
  the paired test of the rule.
* representation: the features of the last layer are less similar (CKA) to the retrained model's than those of a second
  retrained model, by more than `SIGNIFICANT_ERRORS` standard errors.
"""

from collections.abc import Mapping
from math import inf, nan
from typing import Literal

import numpy as np

from unlearn_core.charts.drawing.wording import eval_forget_set, number, percent
from unlearn_core.charts.text.attack_claims import (
    membership_claim,
    reference_model_claim,
    score_claim,
    shadow_model_claim,
)
from unlearn_core.charts.text.claim import SIGNIFICANT_ERRORS, Claim, Direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.privacy import RelearnResult, RelearnTimes
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts, probe_verdict
from unlearn_core.domain.verdicts.rule import ForgetFinding, Relation, deciding_set

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


def forget_claims(report: Report) -> list[Claim]:
    """Return one claim for each kind of evidence that the report has, accuracy first."""
    made = (
        _accuracy(report),
        _relearning(report),
        membership_claim(report) or entropy_claim(report),
        reference_model_claim(report),
        shadow_model_claim(report),
        score_claim(report),
        probe_claim(report),
        representation_claim(report),
    )
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
