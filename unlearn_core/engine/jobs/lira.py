"""The likelihood-ratio attack on a run: trains K shadow models of each kind, then attacks after and gold with them."""

from typing import Any

import numpy as np

from unlearn_core.domain.results.privacy import LiraResult
from unlearn_core.engine.jobs.ensemble import GOLDS, SHADOWS, ModelEnsemble
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measure import LoadedRun, load_run, store_measurement
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.likelihood_ratio import confidence_interval, cross_validate, fit_gaussians, member_rate
from unlearn_core.probes.common.neurips_score import phi


def add_to_report(run: int, num_models: int, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """Add the part "lira" to a finished run's report, or the reason why it is missing; return summary metrics."""
    listener.check()
    loaded = load_run(run, model_cache)
    found = measure(loaded, num_models, model_cache, listener)
    store_measurement(loaded, "lira", found, model_cache)
    return {"lira": None if isinstance(found, str) else found.to_part().facts}


def measure(loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener) -> LiraResult | str:
    """Return the result of the attack with `num_models` shadow models of each kind, or why it is unavailable.

    The attacked gold is the first one; neither it nor the run's original model is a shadow model.
    """
    ensemble = ModelEnsemble(loaded, model_cache, listener)
    if ensemble.unavailable_reason is not None:
        return ensemble.unavailable_reason
    numbers = range(num_models + 1)
    ensemble.plan({SHADOWS: numbers[:num_models], GOLDS: numbers})
    shadows, golds = ensemble.shadow_outputs(numbers[:num_models]), ensemble.gold_outputs(numbers)
    report, rows = loaded.report, loaded.resolved.split.forget_train
    labels = report.labels[rows]
    in_phi, out_phi = phi(shadows.logits, labels), phi(golds.logits, labels)
    validated, attack = cross_validate(in_phi, out_phi[1:]), fit_gaussians(in_phi, out_phi[1:])
    success, low, high = confidence_interval(validated.success_rate)
    return LiraResult(
        num_shadows=num_models,
        success_rate=success,
        low=low,
        high=high,
        after=member_rate(attack.log_ratio(phi(report.evaluations["after"].logits[rows], labels))),
        gold=member_rate(attack.log_ratio(out_phi[0])),
        unlearned_shadows=validated.true_positive_rate.astype(np.float32),
        retrained_shadows=validated.false_positive_rate.astype(np.float32),
    )
