"""Summary scores: single numbers of the distance to the retrained model, as papers report them, beside their parts.

The parts are four shares: the accuracy on training images of the forget set, on those of the retain set, and on test
images of the retain set, and the share of forget images that a membership attack identifies as non-members. The *gap*
of a part is its distance from that of the retrained model. All gaps are from 0 to 1, and shown in points.

* *Tug of war* (ToW) is the product of 1 - gap over the three accuracies: 1 is like the retrained model (Zhao et al.,
  What makes unlearning hard and what to do about it, NeurIPS 2024, arXiv 2406.01257).
* *ToW-MIA*, from the same source, has the attack in place of the accuracy on the forget set.
* *Average gap* is the mean of the four gaps: 0 is like the retrained model (Fan et al., SalUn, ICLR 2024).

The attack is that of these papers: it is fitted to the probability of the true class of retained training images, as
members, and of retained test images, as non-members, and then used on the forget images. Their code fits a support
vector machine to that one number; here it is the threshold with the largest balanced accuracy (Song & Mittal 2021).

It takes 0.01 seconds of one CPU core for 12,800 images and three models: all outputs are there already.
"""

import numpy as np

from unlearn_core.domain.report import MODEL_TITLES, MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.outputs import ACCURACY_PARTS, Part, SummaryScoresResult
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import softmax

_SETS = ("forget_train", "retain_train", "retain_test")


def measure(context: ProbeContext) -> SummaryScoresResult | str:
    """Return the four shares of every model that was evaluated on all images."""
    if "gold" not in context.evaluations:
        return "There is no retrained model to compare with."
    if not all(len(getattr(context.split, name)) for name in _SETS):
        return "There are no test images of the retain set, so the scores of the papers are undefined."
    rows = np.concatenate([getattr(context.split, name) for name in _SETS])
    shares: dict[str, dict[Part, float]] = {}
    for model in (*MODELS, "twin"):
        own = context.evaluations.get(model)
        if own is None or not own.covers(rows):
            continue
        if not np.isfinite(own.logits[rows]).all():
            return f"Some outputs of {MODEL_TITLES[model]} are not finite."
        shares[model] = _shares(context, own.logits)
    return SummaryScoresResult(shares=shares)


def _shares(context: ProbeContext, logits: np.ndarray) -> dict[Part, float]:
    rows = {name: getattr(context.split, name) for name in _SETS}
    correct = logits.argmax(1) == context.labels
    confidence = {name: softmax(logits[own])[np.arange(len(own)), context.labels[own]] for name, own in rows.items()}
    limit = member_threshold(confidence["retain_train"], confidence["retain_test"])
    found: dict[Part, float] = {part: float(correct[rows[part]].mean()) for part in ACCURACY_PARTS}
    found["non_members"] = float((confidence["forget_train"] < limit).mean())
    return found


def member_threshold(members: np.ndarray, non_members: np.ndarray) -> float:
    """Return the smallest value from which on to predict member (n,), not non-member (m,), with the fewest errors.

    Both kinds count equally, however many there are of each: it has the largest balanced accuracy.
    """
    limits = np.unique(np.concatenate([members, non_members]))
    missed, correct = (np.searchsorted(np.sort(own), limits, "left") for own in (members, non_members))
    # As whole numbers, so that ties are ties.
    return float(limits[np.argmax(correct * len(members) - missed * len(non_members))])


PROBE = Probe(
    id="summary_scores",
    title="Summary scores",
    question="How far is it from the retrained model in the numbers that papers report?",
    caveat="One number hides which part it comes from: a model that forgets too much and one that retains too little "
    "can have the same score, so read the parts. The original model scores high where few images were forgotten, since "
    "only one part differs. Two retrained models from different seeds are not at 1 and 0 either; without a second one, "
    "how much a score varies by chance is unknown. Papers differ in the attack and in the sets, so compare their "
    "numbers with care.",
    measure=measure,
)
