"""Can one tell from its answers that a net was trained on the forgotten pictures? Membership inference, two-sided.

Members are the forgotten training pictures, non-members pictures of the same classes that no net was trained on,
equally many of each class. An attack orders both by one figure of the net's answer; its AUC is the chance that a
member comes first. 0.5 tells nothing, and 0.4 tells as much as 0.6: that the pictures were made *stranger* than unseen
ones. Sources: Yeom et al. 2018 (loss), Song & Mittal 2021 (entropy, modified entropy), Carlini et al. 2022
(rates at few false alarms), Kurmanji et al. 2023 (logistic attack on the same classes, equal sizes).
"""

from typing import Any

import numpy as np

from unlearn_core.domain.measurement import Probe, ReportPart
from unlearn_core.domain.report import MODELS
from unlearn_core.probes.common.context import ProbeContext

BOOTSTRAP_SAMPLES = 500
"""Bootstrap samples behind an interval."""
FOLDS = 5
MAX_FALSE_POSITIVE_RATE = 0.01
MEMBER_THRESHOLD = 0.5
"""From here on the logistic attack calls a picture a member: it was fitted on as many members as strangers."""
MIN_MEMBERS = 5
"""With fewer members than this no attack is tried: its figure would be chance."""
_MODELS = (*MODELS, "twin")


def preload() -> None:
    """Loads scikit-learn, which takes seconds, before somebody waits for a report."""
    import sklearn.linear_model
    import sklearn.model_selection  # noqa: F401


def measure(context: ProbeContext) -> ReportPart | str:
    """For every model and attack: AUC with its 95 % interval, members found at 1 % false alarms; and the worst case.

    `leak` is the largest |AUC - 0.5| of all attacks. `privacy` is 1 less twice the largest difference of an attack's
    AUC to its AUC on gold: 1 where no attack can tell more about after than about gold, 0 where one tells all.
    `privacy_val` is the same without test pictures and the logistic attack, for tuning by it. The arrays hold, for
    each model, how likely the logistic attack finds every member to be one (0 to 1); `called` counts whom it calls a
    member (over 0.5), among the members and, wrongly, among the equally many strangers.
    """
    broken = [
        model
        for model in _MODELS
        if model in context.evaluations and not _all_finite(context.evaluations[model].logits)
    ]
    if broken:
        return f"Some answers of {broken[0]} are no numbers, so no attack can be tried on them."
    members, strangers = matched_members(context, np.random.default_rng(context.spec.seed))
    if len(members) < MIN_MEMBERS:
        return (
            f"There are {len(members)} forgotten pictures with unseen ones of their class beside them; an attack on "
            f"fewer than {MIN_MEMBERS} is a game of chance."
        )
    facts: dict[str, Any] = {"members": len(members), "models": {}, "called": {}}
    arrays: dict[str, np.ndarray] = {"members": members.astype(np.float32)}
    for model in _MODELS:
        if model in context.evaluations:
            logits = context.evaluations[model].logits
            found, guesses = run_attacks(
                {name: values[members] for name, values in signals(logits, context.labels).items()},
                {name: values[strangers] for name, values in signals(logits, context.labels).items()},
                np.random.default_rng(context.spec.seed + 1),
            )
            facts["models"][model] = found
            facts["called"][model] = {
                side: int((guess > MEMBER_THRESHOLD).sum())
                for side, guess in zip(("members", "strangers"), guesses, strict=True)
            }
            arrays[f"{model}_guess"] = guesses[0].astype(np.float32)
    facts["leak"] = {
        model: max(abs(one["auc"] - 0.5) for one in own.values()) for model, own in facts["models"].items()
    }
    if "gold" in facts["models"]:
        facts["privacy"] = {
            model: 1 - 2 * max(abs(own[name]["auc"] - facts["models"]["gold"][name]["auc"]) for name in own)
            for model, own in facts["models"].items()
            if model != "gold"
        }
        facts["privacy_val"] = _without_test(context)
    return ReportPart(facts, arrays)


def _without_test(context: ProbeContext) -> dict[str, float]:
    """The same figure for tuning: the five simple attacks, with validation pictures alone as those never seen."""
    members, strangers = matched_members(context, np.random.default_rng(context.spec.seed + 2), held_out=("val",))
    if len(members) < MIN_MEMBERS:
        return {}
    found: dict[str, dict[str, float]] = {}
    for model in MODELS:
        logits = context.evaluations[model].logits
        ours, theirs = (signals(logits[rows], context.labels[rows]) for rows in (members, strangers))
        found[model] = {name: auc(ours[name], theirs[name]) for name in ours}
    gold = found.pop("gold")
    return {model: 1 - 2 * max(abs(own[name] - gold[name]) for name in own) for model, own in found.items()}


def matched_members(
    context: ProbeContext, rng: np.random.Generator, *, held_out: tuple[str, ...] = ("val", "test")
) -> tuple[np.ndarray, np.ndarray]:
    """Members and non-members: equally many of each class, drawn where there are more than the other side has.

    Non-members are from these parts of the data set.
    """
    split, labels, members = context.split, context.labels, context.split.forget_train
    others = np.concatenate([getattr(split, f"forget_{part}") for part in held_out])
    if not len(others):  # Single pictures have unseen neighbours only among what is kept.
        others = np.concatenate([getattr(split, f"retain_{part}") for part in held_out])
    ours, theirs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for own in np.unique(labels[members]):
        inside, outside = members[labels[members] == own], others[labels[others] == own]
        count = min(len(inside), len(outside))
        ours.append(rng.choice(inside, count, replace=False))
        theirs.append(rng.choice(outside, count, replace=False))
    return np.sort(np.concatenate(ours)), np.sort(np.concatenate(theirs))


def _all_finite(logits: np.ndarray) -> bool:
    return bool(np.isfinite(logits).all())


def signals(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What an attacker looks at, from logits (N, C) and labels (N,): each (N,), larger for what looks like a member.

    Minus the loss, the label's probability, minus the entropy, minus the modified entropy (Song & Mittal, equation 6),
    and the lead of the label's logit over the next.
    """
    raised = logits.astype(np.float64) - logits.max(1, keepdims=True)
    log_shares = raised - np.log(np.exp(raised).sum(1, keepdims=True))
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
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    """Every attack's success, and how likely the logistic attack finds each member (n,) and stranger (n,) to be one."""
    ours, theirs = (np.stack(list(side.values()), 1) for side in (members, non_members))
    guesses = cross_validated_scores(ours, theirs, rng)
    scores = {name: (members[name], non_members[name]) for name in members} | {"logistic": guesses}
    return {name: attack_metrics(*both, rng) for name, both in scores.items()}, guesses


def attack_metrics(members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """AUC with its 95 % bootstrap interval, and the share of members found while at most 1 % of strangers are accused.

    Both sides are drawn anew, with replacement, DRAWS times; the interval is between the 2.5 and 97.5 % quantiles.
    """
    drawn = [
        auc(rng.choice(members, len(members)), rng.choice(non_members, len(non_members)))
        for _ in range(BOOTSTRAP_SAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    limit = np.sort(non_members)[len(non_members) - 1 - int(MAX_FALSE_POSITIVE_RATE * len(non_members))]
    return {
        "auc": auc(members, non_members),
        "low": float(low),
        "high": float(high),
        "found": float((members > limit).mean()),
    }


def auc(members: np.ndarray, non_members: np.ndarray) -> float:
    """The chance that a member (n,) scores higher than a stranger (m,), ties counting half."""
    ordered = np.sort(non_members)
    below, upto = np.searchsorted(ordered, members, "left"), np.searchsorted(ordered, members, "right")
    return float((below + upto).mean() / 2 / len(non_members))


def cross_validated_scores(
    members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """How likely each member (n, k) and stranger (n, k) is a member, said by a model that was fitted without it."""
    from sklearn.linear_model import LogisticRegression  # Takes a second to import, so only where it is needed.
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seen, member = np.concatenate([members, non_members]), np.repeat([1, 0], [len(members), len(non_members)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    guessed = np.asarray(cross_val_predict(model, seen, member, cv=folds, method="predict_proba"))[:, 1]
    return guessed[: len(members)], guessed[len(members) :]


PROBE = Probe(
    id="membership",
    title="Membership inference",
    question="Can one tell from its answers that it was trained on the forgotten pictures?",
    caveat="Simple attacks on one net: that they fail does not prove that a better one would. An AUC under 0.5 leaks "
    "as much as one above. Gold is the aim, not 0.5: where the forgotten pictures happen to be easy, gold is not at "
    "0.5 either. With few pictures the intervals are wide.",
    measure=measure,
)
