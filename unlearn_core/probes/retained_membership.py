"""Membership of retained images: does unlearning expose images that stay in the training data?

Removing some images can expose others: those that were hidden behind them become the outliers that an attack finds
(the *privacy onion effect*; Carlini et al., NeurIPS 2022, arXiv 2206.10469), and unlearning is no exception (Hayes et
al., arXiv 2403.01218). So the same attack is made on the retained images, beside that on the forget images. It ranks
images by phi = log(p_y / (1 - p_y)), the scaled confidence of the true class. Members are training images, non-members
are validation and test images of the same classes, equally many of each class.

What an attacker gains who must rarely be wrong is the share of members found at a false positive rate of 1 %; the curve
shows it at every rate, on logarithmic axes (Carlini et al., Membership inference attacks from first principles, 2022).
The AUC has a 95 % interval, and so has its difference between two models on the same images (DeLong et al. 1988).

It takes 0.01 seconds of one CPU core for 6,000 images and three models: all outputs are there already.
"""

import numpy as np

from unlearn_core.domain.report import MODEL_TITLES, MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.privacy import RetainedMembershipResult
from unlearn_core.probes.common.attack_curves import (
    MatchedImages,
    attack_curve,
    attacked_side,
    curve_steps,
    match_classes,
)
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.neurips_score import phi

MIN_MEMBERS = 5
"""With fewer members or non-members no attack is tried: its result would be chance."""


def measure(context: ProbeContext) -> RetainedMembershipResult | str:
    """Return the attack on retained and on forget images, for every model that was evaluated on all of them."""
    rng = np.random.default_rng(context.spec.seed)
    split = context.split
    held_out = np.concatenate([split.retain_val, split.retain_test])
    forgotten = np.concatenate([split.forget_val, split.forget_test])
    images = {
        "retain": match_classes(context.labels, split.retain_train, held_out, rng),
        "forget": match_classes(context.labels, split.forget_train, forgotten if len(forgotten) else held_out, rng),
    }
    if len(images["retain"].members) < MIN_MEMBERS:
        return f"Fewer than {MIN_MEMBERS} retained images have a test or validation image of the same class."
    images = {side: own for side, own in images.items() if len(own.members) >= MIN_MEMBERS}
    rows = np.concatenate([each for own in images.values() for each in own])
    known = {
        model: context.evaluations[model].logits
        for model in (*MODELS, "twin")
        if model in context.evaluations and context.evaluations[model].covers(rows)
    }
    if not {"before", "after"} <= known.keys():
        return "Not all of these images were evaluated by the original and the unlearned model."
    for model, logits in known.items():
        if not np.isfinite(logits[rows]).all():
            return f"Some outputs of {MODEL_TITLES[model]} are not finite, so no attack can be evaluated."
    scores = {
        side: {
            model: MatchedImages(*(phi(logits[each], context.labels[each]) for each in own))
            for model, logits in known.items()
        }
        for side, own in images.items()
    }
    return RetainedMembershipResult(
        sides={side: attacked_side(own) for side, own in scores.items()},
        steps={side: curve_steps(len(own.non_members)).astype(np.float32) for side, own in images.items()},
        curves={f"{side}_{model}": attack_curve(*own) for side, one in scores.items() for model, own in one.items()},
    )


PROBE = Probe(
    id="retained_membership",
    title="Membership of retained images",
    question="Does unlearning expose images that it should retain?",
    caveat="Retained images are members of all models, so an attack may find some of them: what counts is whether it "
    "finds more after unlearning than before, and than in the retrained model. It is one simple attack on one model; "
    "attacks with shadow models find more. With 1,000 non-members a false positive rate of 1 % is 10 images, so the "
    "left end of a curve rests on very few.",
    measure=measure,
)
