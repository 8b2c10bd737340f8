"""The likelihood-ratio attack on a run: K shadow nets of either kind are made, then after and gold are held to them."""

from typing import Any

import numpy as np

from unlearn_core.domain.measurement import ReportPart
from unlearn_core.engine.jobs.ensemble import GOLDS, SHADOWS, ModelEnsemble
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measure import LoadedRun, load_run, store_measurement
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.likelihood_ratio import confidence_interval, cross_validate, fit_gaussians, member_rate
from unlearn_core.probes.common.neurips_score import phi


def add_to_report(run: int, num_models: int, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """Adds the part "lira" to a finished run's report, or the reason for its absence; gives what the row keeps."""
    listener.check()
    finished = load_run(run, model_cache)
    found = measure(finished, num_models, model_cache, listener)
    store_measurement(finished, "lira", found, model_cache)
    kept = ("nets", "told", "low", "high", "after", "gold")
    return {"lira": None if isinstance(found, str) else {name: found.facts[name] for name in kept}}


def measure(loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener) -> ReportPart | str:
    """What the attack comes to with `nets` shadow nets of either kind, or why it cannot be tried.

    In the facts `told`, `low` and `high` are the share (0 to 1) of tries in which it tells a net that was made to
    forget from a gold, and its 95 % interval over nets; `after` and `gold` are the shares of forgotten pictures that it
    calls seen. In the arrays `seen` and `unseen` (K,) are these shares for its own shadow nets. The gold is the first
    one, which is no shadow; nor is the classifier itself, from which the run began.
    """
    crowd = ModelEnsemble(loaded, model_cache, listener)
    if crowd.unavailable_reason is not None:
        return crowd.unavailable_reason
    numbers = range(num_models + 1)
    crowd.plan({SHADOWS: numbers[:num_models], GOLDS: numbers})
    shadows, golds = crowd.shadow_outputs(numbers[:num_models]), crowd.gold_outputs(numbers)
    report, rows = loaded.report, loaded.resolved.split.forget_train
    labels = report.labels[rows]
    seen, unseen = phi(shadows.logits, labels), phi(golds.logits, labels)
    held, attack = cross_validate(seen, unseen[1:]), fit_gaussians(seen, unseen[1:])
    told, low, high = confidence_interval(held.success_rate)
    facts = {
        "nets": num_models,
        "told": told,
        "low": low,
        "high": high,
        "after": member_rate(attack.log_ratio(phi(report.evaluations["after"].logits[rows], labels))),
        "gold": member_rate(attack.log_ratio(unseen[0])),
    }
    return ReportPart(
        facts,
        {"seen": held.true_positive_rate.astype(np.float32), "unseen": held.false_positive_rate.astype(np.float32)},
    )
