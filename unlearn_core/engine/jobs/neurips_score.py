"""The NeurIPS challenge's score of a run: N unlearned models against N golds, and golds against golds."""

from typing import Any

import numpy as np

from unlearn_core.domain.results.privacy import EnsembleScore, NeuripsScoreResult
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.engine.jobs.ensemble import GOLDS, UNLEARNED, ModelEnsemble
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measure import LoadedRun, load_run, store_measurement
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.neurips_score import BUCKET_WIDTH, Score, last_bucket, standard_error


def add_to_report(run: int, num_models: int, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """Add the part "score" to a finished run's report, or the reason why it is missing; return summary metrics."""
    listener.check()
    loaded = load_run(run, model_cache)
    found = measure(loaded, num_models, model_cache, listener)
    store_measurement(loaded, "score", found, model_cache)
    if isinstance(found, str):
        return {"score": None}
    return {"score": {"nets": num_models, "ours": found.after.score, "ceiling": found.ceiling.score}}


def measure(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> NeuripsScoreResult | str:
    """Return the score of `num_models` models and of as many other golds, with every image's epsilon; or why not."""
    ensemble = ModelEnsemble(loaded, model_cache, listener)
    if ensemble.unavailable_reason is not None:
        return ensemble.unavailable_reason
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
