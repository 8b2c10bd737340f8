"""KLoM of a run: the margins of N unlearned models against those of N golds, beside golds against golds."""

import numpy as np

from unlearn_core.domain.results.outputs import KlomResult
from unlearn_core.domain.run import Priority
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.jobs.common.ensemble import GOLDS, UNLEARNED, ModelEnsemble, no_ensemble_reason
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common import klom
from unlearn_core.probes.common.klom import margin_divergences
from unlearn_core.probes.common.neurips_score import phi


def measure(loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener) -> KlomResult | str:
    """Return KLoM of `num_models` unlearned models, and of as many other golds, for every forget image; or why not."""
    reason = no_ensemble_reason(loaded.report.spec, loaded.resolved.card)
    if reason is not None:
        return reason
    ensemble, numbers = ModelEnsemble(loaded, model_cache, listener), range(2 * num_models)
    ensemble.plan({UNLEARNED: numbers[:num_models], GOLDS: numbers})
    labels = loaded.report.labels[loaded.resolved.split.forget_train]
    unlearned = phi(ensemble.unlearned_outputs(numbers[:num_models]).logits, labels)
    golds = phi(ensemble.gold_outputs(numbers).logits, labels)
    reference, others = golds[:num_models], golds[num_models:]
    compared = {"after": unlearned, "ceiling": others}
    return KlomResult(
        num_models=num_models,
        divergences={name: margin_divergences(reference, own).astype(np.float32) for name, own in compared.items()},
        margins={name: own.mean(0).astype(np.float32) for name, own in {"gold": reference, **compared}.items()},
    )


JOB = OnDemandMeasurement(
    id="klom",
    title="KL divergence of margins (KLoM)",
    documentation=klom.__doc__ or "",
    purpose=lambda report: (
        "One retrained model says little about an image, since another seed gives another output. KLoM compares the "
        f"margins of many unlearned models with those of many retrained models, {report.dataset.item_noun} by "
        f"{report.dataset.item_noun}."
    ),
    action="Compute KLoM",
    unit="model",
    model_counts=(16, 32, 64),
    models_needed=lambda count, golds: (
        f"{count} models are unlearned with these settings and compared with {2 * count} retrained models, {golds}: "
        "half of them as the reference, half for the variation between retrained models. They are the models of the "
        "NeurIPS 2023 score, and stored."
    ),
    workload=lambda report, count: Workload(unlearned=count, golds=2 * count),
    why_not=lambda report: no_ensemble_reason(report.spec, report.classifier),
    priority=Priority.BACKGROUND,
    measure=measure,
)
