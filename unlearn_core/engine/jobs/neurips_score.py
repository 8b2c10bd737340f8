"""The NeurIPS challenge's score of a run: N unlearned models against N golds, and golds against golds."""

import numpy as np

from unlearn_core.domain.results.metrics import RunMetrics, ScoreMetrics, or_none
from unlearn_core.domain.results.privacy import EnsembleScore, NeuripsScoreResult
from unlearn_core.domain.run import Priority
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.jobs.common.ensemble import GOLDS, UNLEARNED, ModelEnsemble, no_ensemble_reason
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common import neurips_score
from unlearn_core.probes.common.neurips_score import BUCKET_WIDTH, Score, last_bucket, standard_error


def measure(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> NeuripsScoreResult | str:
    """Return the score of `num_models` models and of as many other golds, with every image's epsilon; or why not."""
    reason = no_ensemble_reason(loaded.report.spec, loaded.resolved.card)
    if reason is not None:
        return reason
    ensemble = ModelEnsemble(loaded, model_cache, listener)
    ensemble.plan({UNLEARNED: range(num_models), GOLDS: range(2 * num_models)})
    unlearned, golds = ensemble.unlearned_outputs(range(num_models)), ensemble.gold_outputs(range(2 * num_models))
    labels = loaded.report.labels[loaded.resolved.split.forget_train]
    after, ceiling = (
        ensemble_members.ensemble_score(models, golds.members(0, num_models), labels)
        for models in (unlearned, golds.members(num_models, 2 * num_models))
    )
    return NeuripsScoreResult(
        num_models=num_models,
        bucket_width=BUCKET_WIDTH,
        last_bucket=last_bucket(num_models),
        after=_ensemble_score(after, num_models),
        ceiling=_ensemble_score(ceiling, num_models),
        epsilons={"after": after.epsilons.astype(np.float32), "ceiling": ceiling.epsilons.astype(np.float32)},
    )


def _ensemble_score(score: Score, num_models: int) -> EnsembleScore:
    return EnsembleScore(
        score=score.final,
        forgetting=score.forgetting,
        error=standard_error(score.epsilons, num_models),
        retain=score.retain,
        test=score.test,
    )


def _metrics(result: NeuripsScoreResult) -> RunMetrics:
    after, ceiling = or_none(result.after.score), or_none(result.ceiling.score)
    return RunMetrics(score=ScoreMetrics(num_models=result.num_models, after=after, ceiling=ceiling))


JOB = OnDemandMeasurement(
    id="score",
    title="NeurIPS 2023 score",
    documentation=neurips_score.__doc__ or "",
    purpose=lambda report: (
        "One model says little about a randomised method. The score of the NeurIPS 2023 challenge unlearns many models "
        "with these settings and tests, image by image, whether an attacker can tell them from retrained models."
    ),
    action="Compute the score",
    unit="model",
    model_counts=(16, 32, 64),
    models_needed=lambda count, golds: (
        f"{count} models are unlearned with these settings and compared with {2 * count} retrained models, {golds}: "
        "half of them as the reference, half for the best possible score. Finished models are stored, so a stopped "
        "score resumes where it was."
    ),
    workload=lambda report, count: Workload(unlearned=count, golds=2 * count),
    why_not=lambda report: no_ensemble_reason(report.spec, report.classifier),
    priority=Priority.BACKGROUND,
    measure=measure,
    metrics=_metrics,
)
