"""The likelihood-ratio attack on a run: trains K shadow models of each kind, then attacks after and gold with them."""

import numpy as np

from unlearn_core.domain.results.metrics import LiraMetrics, RunMetrics
from unlearn_core.domain.results.privacy import AttackCurve, LiraResult
from unlearn_core.domain.run import Priority
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.jobs.common.ensemble import GOLDS, SHADOWS, ModelEnsemble, no_ensemble_reason
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common import likelihood_ratio
from unlearn_core.probes.common.attack_curves import (
    FALSE_POSITIVE_RATE,
    attack_curve,
    curve_steps,
    found_at,
    placements,
)
from unlearn_core.probes.common.likelihood_ratio import (
    CrossValidatedAttack,
    confidence_interval,
    cross_validate,
    fit_gaussians,
    member_rate,
)
from unlearn_core.probes.common.neurips_score import phi


def measure(loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener) -> LiraResult | str:
    """Return the result of the attack with `num_models` shadow models of each kind, or why it is unavailable.

    The attacked gold is the first one; neither it nor the run's original model is a shadow model.
    """
    reason = no_ensemble_reason(loaded.report.spec, loaded.resolved.card)
    if reason is not None:
        return reason
    ensemble = ModelEnsemble(loaded, model_cache, listener)
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
        attack=attack_of_pairs(validated),
        curves={
            "rate": (curve_steps(validated.out_ratio.size) / validated.out_ratio.size).astype(np.float32),
            "found": attack_curve(validated.in_ratio.ravel(), validated.out_ratio.ravel()),
        },
    )


def attack_of_pairs(validated: CrossValidatedAttack) -> AttackCurve:
    """Return AUC and members found at a false positive rate of 1 %, over all pairs of a shadow model and an image."""
    others = validated.out_ratio.ravel()
    limit = int(FALSE_POSITIVE_RATE * len(others))
    auc, found = (
        confidence_interval(np.array([np.mean(values) for values in by_model]))
        for by_model in (
            [placements(own, others).of_members for own in validated.in_ratio],
            [found_at(own, others, limit) for own in validated.in_ratio],
        )
    )
    return AttackCurve(
        auc=auc[0], auc_low=auc[1], auc_high=auc[2], found=found[0], found_low=found[1], found_high=found[2]
    )


def _metrics(result: LiraResult) -> RunMetrics:
    names = ("num_shadows", "success_rate", "low", "high", "after", "gold")
    return RunMetrics(lira=LiraMetrics(**{name: getattr(result, name) for name in names}))


JOB = OnDemandMeasurement(
    id="lira",
    title="Shadow-model attack (LiRA)",
    documentation=likelihood_ratio.__doc__ or "",
    purpose=lambda report: (
        "The other attacks evaluate this model alone. The shadow-model attack (LiRA) first learns, image by image, how "
        "the outputs of models that were trained on it and then unlearned it differ from those of models that never "
        "saw it. Then it evaluates this model."
    ),
    action="Run the attack",
    unit="model",
    model_counts=(8, 16, 32),
    count_label="Shadow models of each kind",
    models_needed=lambda count, golds: (
        f"{count} classifiers are trained from other seeds and unlearned with these settings. They are compared with "
        f"{count + 1} retrained models, {golds}. Trained models are stored and reused for other methods."
    ),
    workload=lambda report, count: Workload(unlearned=count, golds=count + 1, originals=count),
    why_not=lambda report: no_ensemble_reason(report.spec, report.classifier),
    is_outdated=lambda report: report[LiraResult].attack is None,
    priority=Priority.BACKGROUND,
    measure=measure,
    metrics=_metrics,
)
