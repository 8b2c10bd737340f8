"""The NeurIPS challenge's score of a run: N unlearned models against N golds, and golds against golds."""

from typing import Any

import numpy as np

from unlearn_core.domain.results.result import ReportPart
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
    return {
        "score": {"nets": num_models, "ours": found.facts["after"]["score"], "ceiling": found.facts["ceiling"]["score"]}
    }


def measure(loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener) -> ReportPart | str:
    """Return the score of `num_models` models and of as many other golds, with every image's epsilon; or why not.

    In the facts "after" and "ceiling" have score, forgetting, error (the standard error of forgetting over images),
    retain and test (accuracies relative to gold); in the arrays each has its epsilons (S,), nan where none is defined.
    """
    ensemble = ModelEnsemble(loaded, model_cache, listener)
    if ensemble.unavailable_reason is not None:
        return ensemble.unavailable_reason
    ensemble.plan({UNLEARNED: range(num_models), GOLDS: range(2 * num_models)})
    unlearned, golds = ensemble.unlearned_outputs(range(num_models)), ensemble.gold_outputs(range(2 * num_models))
    labels = loaded.report.labels[loaded.resolved.split.forget_train]
    facts: dict[str, Any] = {"nets": num_models, "bucket": BUCKET_WIDTH, "last": last_bucket(num_models)}
    arrays = {}
    for name, models in (("after", unlearned), ("ceiling", golds.members(num_models, 2 * num_models))):
        score = ensemble_members.ensemble_score(models, golds.members(0, num_models), labels)
        facts[name] = _facts(score, num_models)
        arrays[name] = score.epsilons.astype(np.float32)
    return ReportPart(facts, arrays)


def _facts(score: Score, num_models: int) -> dict[str, float]:
    return {
        "score": score.final,
        "forgetting": score.forgetting,
        "error": standard_error(score.epsilons, num_models),
        "retain": score.retain,
        "test": score.test,
    }
