"""Four statistics of a model's logits, image by image, as the part "logits" of a report has them."""

from collections.abc import Mapping

import numpy as np

from unlearn_core.domain.results.outputs import LogitsResult


def logit_statistics(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return four statistics of logits (N, C) under labels (N,): each (N,) float64, nan where the logits are nan.

    `true` is the label's logit, `top` the largest one, `margin` the label's lead over the best other class (negative
    where the prediction is wrong), and `entropy` that of the softmax, in nats.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(logits))
    true, top = logits[rows, labels], logits.max(axis=1)
    others = logits.copy()
    others[rows, labels] = -np.inf
    shifted = logits - top[:, None]
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    entropy = -(np.exp(log_shares) * log_shares).sum(axis=1)
    return {"true": true, "top": top, "margin": true - others.max(axis=1), "entropy": entropy}


def logits_result(logits: Mapping[str, np.ndarray], labels: np.ndarray) -> LogitsResult:
    """Return these statistics of several models, whose logits (N, C) are given by model."""
    found = {model: logit_statistics(own, labels) for model, own in logits.items()}

    def by_model(quantity: str) -> Mapping[str, np.ndarray]:
        return {model: statistics[quantity].astype(np.float32) for model, statistics in found.items()}

    return LogitsResult(
        true_logit=by_model("true"),
        top_logit=by_model("top"),
        margin=by_model("margin"),
        entropy=by_model("entropy"),
    )
