"""Robust membership inference (RMIA): an attack that knows from other models how difficult each image is.

Some images are easy for any model, so a high probability of the true class alone says little. RMIA divides it by what
*reference models* give the image, and compares the result with that of *population images*, on which no model was
trained. The score of an image x is the share of population images z with a likelihood ratio of at least gamma:

(p(x | model) / p(x)) / (p(z | model) / p(z)) ≥ gamma

The reference models are retrained models, and were not trained on x (the *offline* attack). So p(x) is taken to be
((1 + a) m + 1 - a) / 2, with the mean m of their probabilities; p(z) is the same for z. Here a = 0.3 and gamma = 1, as
in the authors' code. They choose a by attacking a model whose training images are known; here it is fixed.

Members are the training images of the forget set. Validation and test images of the same classes are halved at random:
one half is the population, and of the other come the non-members, equally many of each class as members. The first
retrained model is attacked as well, as the control, and all others are the reference models. Where there is only one,
it is the reference model, and there is no control.

Source: Zarifzadeh, Liu & Shokri, Low-Cost High-Power Membership Inference Attacks, ICML 2024, arXiv 2312.03262, which
finds that one reference model is enough for a strong attack. The intervals are as in *Membership of retained images*.

It takes less than 0.01 seconds for the bundled classifier, as `make bench` prints: all outputs are there already.
"""

from math import log

import numpy as np

from unlearn_core.domain.report import MODEL_TITLES
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.privacy import RmiaResult
from unlearn_core.probes.common.attack_curves import (
    MatchedImages,
    attack_curve,
    attacked_side,
    curve_steps,
    match_classes,
)
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import log_softmax

OFFLINE_A = 0.3
"""How the probability in models that were trained on an image follows from m, that in others: a m + 1 - a."""
GAMMA = 1.0
"""The least likelihood ratio that counts."""
MIN_MEMBERS = 5
"""With fewer members or non-members no attack is tried: its result would be chance."""


def measure(context: ProbeContext) -> RmiaResult | str:
    """Return the attack on before, after and, if it is not the only one, gold; or why there is none."""
    if "gold" not in context.evaluations:
        return "There is no retrained model to compare with."
    images, population = draw_images(context)
    if len(images.members) < MIN_MEMBERS:
        return (
            f"Fewer than {MIN_MEMBERS} forget images have a test or validation image of the same class to compare "
            "with, beside those of the population."
        )
    rows = np.concatenate([*images, population])
    golds = _gold_logits(context, rows)
    references = sorted(golds.keys() - {0}) or [0]
    models = ("before", "after", *(["gold"] if 0 not in references else []))
    attacked = {model: context.evaluations[model].logits[rows] for model in models}
    for model, logits in (*attacked.items(), *(("gold", golds[number]) for number in references)):
        if not np.isfinite(logits).all():
            return f"Some outputs of {MODEL_TITLES[model]} are not finite, so no attack can be evaluated."
    labels = context.labels[rows]
    reference = np.stack([_log_probability(golds[number], labels) for number in references])
    scores: dict[str, MatchedImages] = {}
    for model, logits in attacked.items():
        ratios = log_relative_likelihood(_log_probability(logits, labels), reference)
        ours, theirs, others = np.split(ratios, np.cumsum([len(each) for each in images]))
        scores[model] = MatchedImages(rmia_scores(ours, others), rmia_scores(theirs, others))
    return RmiaResult(
        reference_golds=references,
        num_population=len(population),
        attacked=attacked_side(scores),
        steps=curve_steps(len(images.non_members)).astype(np.float32),
        curves={model: attack_curve(*own) for model, own in scores.items()},
    )


def draw_images(context: ProbeContext) -> tuple[MatchedImages, np.ndarray]:
    """Return members and non-members, and the population images, as positions in the data set; all are disjoint.

    Half of the held-out images of each class of the forget set are population images.
    """
    rng, split, labels = np.random.default_rng(context.spec.seed), context.split, context.labels
    held_out = np.concatenate([split.forget_val, split.forget_test])
    if not len(held_out):  # For single images, held-out images are only in the retain set.
        held_out = np.concatenate([split.retain_val, split.retain_test])
    held_out = rng.permutation(held_out[np.isin(labels[held_out], labels[split.forget_train])])
    by_class = held_out[np.argsort(labels[held_out], kind="stable")]
    return match_classes(labels, split.forget_train, by_class[1::2], rng), by_class[::2]


def _gold_logits(context: ProbeContext, rows: np.ndarray) -> dict[int, np.ndarray]:
    """Return the logits (rows, C) of every gold that there is, by its number."""
    known = [context.evaluations[model] for model in ("gold", "twin") if model in context.evaluations]
    found = {number: own.logits[rows] for number, own in enumerate(known)}
    further = context.further_golds
    if further is not None and further.covers(rows):
        found |= further.from_number(len(known), rows)
    return found


def _log_probability(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the log probability (n,) of each label (n,) from logits (n, C)."""
    return log_softmax(logits)[np.arange(len(labels)), labels]


def log_relative_likelihood(attacked: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return log(p(x | model) / p(x)) of images (n,), from log probabilities (n,) and those of K references (K, n)."""
    mean = np.exp(references).mean(0)
    return attacked - np.log(((1 + OFFLINE_A) * mean + 1 - OFFLINE_A) / 2)


def rmia_scores(images: np.ndarray, population: np.ndarray) -> np.ndarray:
    """Return the score (n,) of each image, 0 to 1, from log relative likelihoods (n,) and those of a population (m,).

    The score is the share of population images with a likelihood ratio of at least `GAMMA`.
    """
    return np.searchsorted(np.sort(population + log(GAMMA)), images, "right") / len(population)


PROBE = Probe(
    id="rmia",
    title="Membership with reference models (RMIA)",
    question="Does an attack that knows retrained models still find the forget images?",
    caveat="It uses more than attacks on one model alone, and less than one that trains many models (LiRA): see the "
    "number of reference models. They are retrained models, which an attacker from outside would have to train. Where "
    "a class was forgotten, they give all its images a low probability, so the attack ranks them much as one by "
    "confidence does. With few population images scores are coarse, and with few non-members the left end of a curve "
    "rests on single images. If it fails, a stronger attack may still succeed.",
    measure=measure,
    needs_all_images=False,
)
