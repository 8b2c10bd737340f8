"""Membership inference: attacks that decide from a model's outputs whether an image was in its training data.

Members are the training images of the forget set. Non-members are images of the same classes that no model was trained
on, equally many per class. An attack ranks both by one figure of the outputs. Its AUC is the probability that a member
ranks above a non-member: 0.5 is guessing, and 0.4 reveals as much as 0.6, namely that the members became *less*
familiar than images that were never trained on.

Sources: Yeom et al. 2018 (loss), Song & Mittal 2021 (entropy, modified entropy), Carlini et al. 2022 (rates at few
false positives), Kurmanji et al. 2023 (logistic attack on the same classes, equal sizes).
"""

from collections.abc import Mapping

import numpy as np

from unlearn_core.domain.report import MODEL_TITLES, MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.privacy import AttackMetrics, MembershipResult, PredictedMembers
from unlearn_core.probes.common.attack_curves import MatchedImages, match_classes
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.logistic_attack import cross_validated_scores
from unlearn_core.probes.common.statistics import log_softmax

BOOTSTRAP_SAMPLES = 500
"""Bootstrap samples per interval."""
MAX_FALSE_POSITIVE_RATE = 0.01
MEMBER_THRESHOLD = 0.5
"""From here on the logistic attack predicts member: it was fitted on equally many members and non-members."""
MIN_MEMBERS = 5
"""With fewer members no attack is tried: its result would be chance."""
_MODELS = (*MODELS, "twin")


def measure(context: ProbeContext) -> MembershipResult | str:
    """Return the metrics of each attack on each model, what the worst one reveals, and each member's probability."""
    broken = [
        model
        for model in _MODELS
        if model in context.evaluations and not np.isfinite(context.evaluations[model].known_logits).all()
    ]
    if broken:
        return f"Some outputs of {MODEL_TITLES[broken[0]]} are not finite, so no attack can be evaluated."
    members, non_members = matched_members(context, np.random.default_rng(context.spec.seed))
    if len(members) < MIN_MEMBERS:
        return (
            f"There are only {len(members)} forgotten images with a test or validation image of the same class to "
            f"compare with: at least {MIN_MEMBERS} are needed."
        )
    attacks: dict[str, Mapping[str, AttackMetrics]] = {}
    predicted: dict[str, PredictedMembers] = {}
    probabilities: dict[str, np.ndarray] = {}
    for model in _MODELS:
        if model in context.evaluations:
            logits = context.evaluations[model].logits
            attacks[model], (ours, theirs) = run_attacks(
                {name: values[members] for name, values in signals(logits, context.labels).items()},
                {name: values[non_members] for name, values in signals(logits, context.labels).items()},
                np.random.default_rng(context.spec.seed + 1),
            )
            predicted[model] = PredictedMembers(members=_num_predicted(ours), non_members=_num_predicted(theirs))
            probabilities[model] = ours.astype(np.float32)
    return MembershipResult(
        num_members=len(members),
        attacks=attacks,
        predicted_members=predicted,
        leak={model: max(abs(one.auc - 0.5) for one in own.values()) for model, own in attacks.items()},
        privacy=_privacy(attacks),
        privacy_val=_privacy_val(context),
        member_rows=members.astype(np.float32),
        probabilities=probabilities,
    )


def _num_predicted(probabilities: np.ndarray) -> int:
    return int((probabilities > MEMBER_THRESHOLD).sum())


def _privacy(attacks: Mapping[str, Mapping[str, AttackMetrics]]) -> dict[str, float]:
    gold = attacks.get("gold")
    if gold is None:
        return {}
    return {
        model: 1 - 2 * max(abs(metrics.auc - gold[name].auc) for name, metrics in own.items())
        for model, own in attacks.items()
        if model != "gold"
    }


def _privacy_val(context: ProbeContext) -> dict[str, float]:
    """Return the same figure for tuning: the five simple attacks, with only validation images as non-members."""
    members, non_members = matched_members(context, np.random.default_rng(context.spec.seed + 2), held_out=("val",))
    if len(members) < MIN_MEMBERS or "gold" not in context.evaluations:
        return {}
    found: dict[str, dict[str, float]] = {}
    for model in MODELS:
        logits = context.evaluations[model].logits
        ours, theirs = (signals(logits[rows], context.labels[rows]) for rows in (members, non_members))
        found[model] = {name: auc(ours[name], theirs[name]) for name in ours}
    gold = found.pop("gold")
    return {model: 1 - 2 * max(abs(own[name] - gold[name]) for name in own) for model, own in found.items()}


def matched_members(
    context: ProbeContext, rng: np.random.Generator, *, held_out: tuple[str, ...] = ("val", "test")
) -> MatchedImages:
    """Return members and non-members, equally many per class; the larger side of a class is sampled.

    Non-members are from the `held_out` parts of the data set.
    """
    split, labels, members = context.split, context.labels, context.split.forget_train
    others = np.concatenate([getattr(split, f"forget_{part}") for part in held_out])
    if not len(others):  # For single images, held-out images are only in the retain set.
        others = np.concatenate([getattr(split, f"retain_{part}") for part in held_out])
    return match_classes(labels, members, others, rng)


def signals(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the signals of the simple attacks from logits (N, C) and labels (N,): each (N,), larger for members.

    They are minus the loss, the label's probability, minus the entropy, minus the modified entropy (Song & Mittal,
    equation 6), and the margin of the label's logit over the next.
    """
    log_shares = log_softmax(logits)
    shares, rows = np.exp(log_shares), np.arange(len(labels))
    others = logits.astype(np.float64)
    others[rows, labels] = -np.inf
    log_rest = np.log1p(-np.clip(shares, 0, 1 - 1e-15))
    own = shares[rows, labels]
    wrong = shares * log_rest
    modified = -(1 - own) * log_shares[rows, labels] - (wrong.sum(1) - wrong[rows, labels])
    return {
        "loss": log_shares[rows, labels],
        "confidence": own,
        "entropy": (shares * log_shares).sum(1),
        "modified entropy": -modified,
        "margin": logits[rows, labels] - others.max(1),
    }


def run_attacks(
    members: dict[str, np.ndarray], non_members: dict[str, np.ndarray], rng: np.random.Generator
) -> tuple[dict[str, AttackMetrics], tuple[np.ndarray, np.ndarray]]:
    """Return each attack's metrics, and the logistic attack's scores of members (n,) and non-members (n,)."""
    ours, theirs = (np.stack(list(side.values()), 1) for side in (members, non_members))
    guesses = cross_validated_scores(ours, theirs, rng)
    scores = {name: (members[name], non_members[name]) for name in members} | {"logistic": guesses}
    return {name: attack_metrics(*both, rng) for name, both in scores.items()}, guesses


def attack_metrics(members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator) -> AttackMetrics:
    """Return AUC with its 95 % bootstrap interval, and the true positive rate at a false positive rate of at most 1 %.

    Both sides are resampled with replacement BOOTSTRAP_SAMPLES times; the interval is between the 2.5 and 97.5 %
    quantiles.
    """
    low, high = np.quantile(_bootstrap_aucs(members, non_members, rng), [0.025, 0.975])
    limit = np.sort(non_members)[len(non_members) - 1 - int(MAX_FALSE_POSITIVE_RATE * len(non_members))]
    return AttackMetrics(
        auc=auc(members, non_members),
        low=float(low),
        high=float(high),
        true_positive_rate=float((members > limit).mean()),
    )


def _bootstrap_aucs(members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator) -> list[float]:
    """Return the AUC of each bootstrap sample, from ranks: sorting every sample would take several times as long."""
    order = np.argsort(non_members)
    ordered, ranks = non_members[order], np.empty_like(order)
    ranks[order] = np.arange(len(order))
    left, right = np.searchsorted(ordered, members, "left"), np.searchsorted(ordered, members, "right")
    found: list[float] = []
    for _ in range(BOOTSTRAP_SAMPLES):
        ours, theirs = rng.choice(len(members), len(members)), rng.choice(len(non_members), len(non_members))
        # How many of the drawn non-members have a lower rank than each.
        below = np.concatenate([[0], np.bincount(ranks[theirs], minlength=len(ranks)).cumsum()])
        found.append(float((below[left[ours]] + below[right[ours]]).mean() / 2 / len(non_members)))
    return found


def auc(members: np.ndarray, non_members: np.ndarray) -> float:
    """Return the probability that a member (n,) scores higher than a non-member (m,), ties counting half."""
    ordered = np.sort(non_members)
    below, upto = np.searchsorted(ordered, members, "left"), np.searchsorted(ordered, members, "right")
    return float((below + upto).mean() / 2 / len(non_members))


PROBE = Probe(
    id="membership",
    title="Membership inference",
    question="Can an attacker tell from its outputs that it was trained on the forget set?",
    caveat="These are simple attacks on one model: if they fail, a stronger attack may still succeed. An AUC below 0.5 "
    "reveals as much as one above. The aim is the retrained model's AUC, not 0.5: where the forgotten images happen to "
    "be easy, the retrained model is not at 0.5 either. With few images the intervals are wide.",
    measure=measure,
    needs_all_images=False,
)
