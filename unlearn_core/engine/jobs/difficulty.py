"""The difficulty of a request: how much its images are memorised, and how entangled they are with the retain set."""

import numpy as np

from unlearn_core.data import half_models
from unlearn_core.domain.errors import InvalidRequestError, NotSupportedError
from unlearn_core.domain.forget_request import ForgetSetKind
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import DifficultyResult
from unlearn_core.domain.tracker import Tracker
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.measuring.model_features import collect_features
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.models import classifiers
from unlearn_core.probes.common import difficulty
from unlearn_core.probes.common.statistics import score

MODELS = ("before", "after", "gold", "twin")


def measure(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> DifficultyResult | str:
    """Return how hard the forget images are and what each model makes of each third, or why this is not known."""
    report, forget = loaded.report, loaded.report.split.forget_train
    models = half_models.load(report.dataset.id, report.labels[: report.dataset.train])
    if models is None:
        return half_models.how_to_make(report.dataset)
    known = models.memorisation
    bounds = difficulty.thirds(known.score)
    groups = difficulty.in_thirds(known.score[forget], bounds)
    evaluations = {model: report.evaluations[model].logits[forget] for model in MODELS if model in report.evaluations}
    correct = {model: logits.argmax(1) == report.labels[forget] for model, logits in evaluations.items()}
    pool = np.sort(np.concatenate([forget, report.split.retain_train]))
    features = original_features(loaded.resolved.card.id, pool, model_cache, RunTracker(listener))
    found = difficulty.entanglement(features, np.searchsorted(pool, forget))
    return DifficultyResult(
        num_models=models.num_models,
        bounds=bounds,
        thirds={
            third: {model: score(int(own[rows].sum()), int(rows.sum())) for model, own in correct.items()}
            for third, rows in groups.items()
        },
        entanglement=found.score,
        random=found.random,
        images=forget.astype(np.int32),
        memorisation=known.score[forget].astype(np.float32),
        error=known.error[forget].astype(np.float32),
    )


def original_features(classifier: str, rows: np.ndarray, model_cache: ModelCache, tracker: Tracker) -> np.ndarray:
    """Return the features (rows, F) float32 of training images in the original model; those unknown are computed.

    Raises NotSupportedError if the classifier has no weights here.
    """
    card = classifiers.card(classifier)
    original = model_cache.original(card)
    if original is None:
        raise NotSupportedError(f"{card.title} has no weights here, so no image has features.")
    (found,) = collect_features({"original": original}, card, rows, model_cache, tracker).values()
    return found


def forget_set(
    classifier: str, kind: ForgetSetKind, count: int, model_cache: ModelCache, tracker: Tracker
) -> tuple[int, ...]:
    """Return so many training images of a classifier's data set: easy, memorised or entangled ones.

    Raises NotFoundError, NotSupportedError if it is not known which these are, and InvalidRequestError for more images
    than there are.
    """
    data = model_cache.dataset(classifiers.card(classifier).dataset)
    if not 1 <= count < data.card.train:
        raise InvalidRequestError(
            f"{kind}:{count} is no forget set of {data.card.title}: choose 1 to {data.card.train - 1:,} images."
        )
    if kind == "entangled":
        features = original_features(classifier, np.arange(data.card.train), model_cache, tracker)
        return tuple(sorted(difficulty.entangled_set(features, count).tolist()))
    models = half_models.load(data.card.id, data.image_dataset.labels[: data.card.train])
    if models is None:
        raise NotSupportedError(half_models.how_to_make(data.card))
    return tuple(sorted(difficulty.memorised_order(kind, models.memorisation)[:count].tolist()))


def _purpose(report: Report) -> str:
    noun = report.dataset.item_noun
    return (
        f"Models memorise some {noun}s: only those trained on them classify them correctly. The forget {noun}s are "
        f"divided by it: what does the model make of easy ones, and what of memorised ones?"
    )


def _why_not(report: Report) -> str | None:
    models = half_models.load(report.dataset.id, report.labels[: report.dataset.train])
    return half_models.how_to_make(report.dataset) if models is None else None


def _lacks_gold(report: Report) -> bool:
    """Return whether it was measured without gold, and there is a gold now."""
    return "gold" in report.evaluations and "gold" not in report[DifficultyResult].thirds["low"]


JOB = OnDemandMeasurement(
    id="difficulty",
    title="Difficulty",
    documentation=difficulty.__doc__ or "",
    purpose=_purpose,
    action="Measure",
    unit="batch",
    workload=lambda report, num_models: Workload(evaluated_images=report.dataset.train),
    why_not=_why_not,
    is_outdated=_lacks_gold,
    measure=measure,
)
