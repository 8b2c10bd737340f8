"""The rule of every verdict: what the accuracies of two models on the same images show, and what they do not.

A difference is judged by its paired test (`paired_comparison`), with a margin of three points:

* equal: the 90 % interval of the difference lies within the margin. Fewer than `FEWEST_IMAGES` never show that.
* lost: a loss of more than the margin is shown (one-sided test, 5 %).
* lower, higher: McNemar's test shows a difference, and none of the two above holds.
* unclear: none of this, whatever the numbers look like. More images would tell.

The p-values of the comparisons that one verdict makes are adjusted by Holm's method.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from unlearn_core.domain.verdicts.paired_comparison import ALPHA, Comparison, compare, holm, images_needed

Relation = Literal["equal", "lost", "lower", "higher", "unclear"]
"""How a model's accuracy relates to that of a reference."""
RetainFinding = Literal["retained", "reduced", "lost", "higher", "cannot tell"]
ForgetFinding = Literal["not", "partly", "more than retrained", "as retrained", "cannot tell"]

FEWEST_IMAGES = 30
"""With fewer images than this nothing is shown to be equal, and counts are printed instead of percentages."""

TYPICAL_DISAGREEMENT = 0.12
"""The share of retained test images that only one of the unlearned and the retrained model classifies correctly, in the
bundled example (.114): before a run it says how many images a verdict will need."""

_RETAIN_FINDINGS: Mapping[Relation, RetainFinding] = {
    "equal": "retained",
    "lower": "reduced",
    "lost": "lost",
    "higher": "higher",
    "unclear": "cannot tell",
}
_SHOWN: tuple[ForgetFinding, ...] = ("not", "partly", "more than retrained")
"""Findings that one set of images is enough for, the worst first."""


class CorrectPredictions(NamedTuple):
    """Which of N > 0 images each model classifies correctly: (N,) bool, or (models, N) from several seeds."""

    after: np.ndarray
    before: np.ndarray
    retrained: np.ndarray | None


class RetainVerdict(NamedTuple):
    """Whether the accuracy on the retain set is that of the reference."""

    finding: RetainFinding
    deciding: Comparison
    """With the retrained model; without one, with the original."""
    original: Comparison


class ForgetVerdict(NamedTuple):
    """Whether the images of one set were forgotten."""

    finding: ForgetFinding
    retrained: Comparison
    original: Comparison
    gap: Comparison
    """The original with the retrained model: without a difference there, accuracy cannot decide."""


def relations(comparisons: Sequence[Comparison]) -> list[Relation]:
    """How each model relates to its reference; the p-values are adjusted for the number of comparisons."""
    differs = holm([one.p_differs for one in comparisons])
    below = holm([one.p_below for one in comparisons])
    return [_relation(*found) for found in zip(comparisons, differs, below, strict=True)]


def _relation(comparison: Comparison, p_differs: float, p_below: float) -> Relation:
    if p_below < ALPHA:
        return "lost"
    if comparison.is_equal and comparison.images >= FEWEST_IMAGES:
        return "equal"
    if p_differs < ALPHA:
        return "lower" if comparison.difference < 0 else "higher"
    return "unclear"


def judge_retained(correct: CorrectPredictions, spread: Sequence[float] = ()) -> RetainVerdict:
    """Judge the retain set; `spread` are the accuracies of repeats of the run from other seeds, if there are any."""
    original = compare(correct.after, correct.before, spread)
    if correct.retrained is None:
        return RetainVerdict(_RETAIN_FINDINGS[relations([original])[0]], original, original)
    deciding = compare(correct.after, correct.retrained, spread)
    return RetainVerdict(_RETAIN_FINDINGS[relations([deciding, original])[0]], deciding, original)


def judge_forgotten(sets: Mapping[str, CorrectPredictions]) -> dict[str, ForgetVerdict]:
    """Judge each set of forget images, together: every comparison counts for the adjustment.

    Without a retrained model they are compared with one that classifies none of them correctly, as a model that was
    not trained on a class does; so this is only for classes.
    """
    comparisons = [
        (compare(one.after, gold), compare(one.after, one.before), compare(one.before, gold))
        for one in sets.values()
        for gold in [np.zeros_like(one.after) if one.retrained is None else one.retrained]
    ]
    related = iter(relations([one for found in comparisons for one in found]))
    return {
        name: ForgetVerdict(_forgotten(next(related), next(related), next(related)), *found)
        for name, found in zip(sets, comparisons, strict=True)
    }


def _forgotten(to_retrained: Relation, to_original: Relation, gap: Relation) -> ForgetFinding:
    if to_retrained in ("lower", "lost"):
        return "more than retrained"
    if to_retrained == "higher":
        return "partly" if to_original in ("lower", "lost") else "not"
    # Where the original and the retrained model are alike, being like one of them tells nothing.
    return "as retrained" if to_retrained == "equal" and gap not in ("equal", "unclear") else "cannot tell"


def deciding_set(verdicts: Mapping[str, ForgetVerdict]) -> str:
    """The set that decides: the least forgotten one, or the one with most images where nothing is shown to be left."""
    for finding in _SHOWN:
        for name, one in verdicts.items():
            if one.finding == finding:
                return name
    return max(verdicts, key=lambda name: verdicts[name].retrained.images)


def more_images(comparison: Comparison) -> int:
    """How many images would show equality, from how often the two models disagreed; at least one is assumed."""
    return max(FEWEST_IMAGES, images_needed(max(comparison.lost + comparison.gained, 1.0) / comparison.images))
