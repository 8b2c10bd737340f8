"""The representation of a run: what can be read from the features of each model without its last layer."""

import numpy as np

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.features import Reading, RepresentationResult
from unlearn_core.domain.results.predictions import Score
from unlearn_core.domain.split import Split, evenly_spaced
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun, collect_models
from unlearn_core.engine.measuring.model_features import collect_features
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.probes.common import representation
from unlearn_core.probes.common.statistics import score

NUM_FITTED = 2_000
"""The most training images that the probe is fitted to, as many of each class."""
NUM_EVALUATED = 300
"""The most images of either side that it is evaluated on."""
MODELS = ("before", "after", "gold", "twin")
"""The models whose features are read: a second retrained model shows how much retrained models vary."""
TOO_FEW = "There are too few images to fit a probe and to evaluate it on others."


def measure(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> RepresentationResult | str:
    """Return what can be read from the features of the models of a run, or why nothing can."""
    report, labels = loaded.report, loaded.report.labels
    fitted = fitted_images(report)
    sets, forget = forget_images(report.split, fitted)
    retain = evenly_spaced(report.split.retain_test, NUM_EVALUATED)
    if len(np.unique(labels[fitted])) < 2 or not len(forget):
        return TOO_FEW
    found = collect_models(report.spec, loaded.resolved, model_cache, loaded.after, {})
    models = {name: found[name] for name in MODELS if name in found and name in report.evaluations}
    rows, evaluated = np.concatenate([fitted, forget, retain]), np.concatenate([forget, retain])
    features = collect_features(models, loaded.resolved.card, rows, model_cache, RunTracker(listener))
    correct: dict[Reading, dict[str, np.ndarray]] = {"own_layer": {}, "probe": {}, "neighbours": {}}
    for model, own in features.items():
        listener.check()
        known, others = representation.standardise(own[: len(fitted)], own[len(fitted) :])
        predicted: dict[Reading, np.ndarray] = {
            "own_layer": report.evaluations[model].logits[evaluated].argmax(1),
            "probe": representation.linear_probe(known, labels[fitted], others),
            "neighbours": representation.nearest_neighbours(known, labels[fitted], others),
        }
        for reading, classes in predicted.items():
            correct[reading][model] = classes == labels[evaluated]
    sides: list[dict[Reading, dict[str, Score]]] = [
        {reading: {model: _score(own[side]) for model, own in found.items()} for reading, found in correct.items()}
        for side in (slice(len(forget)), slice(len(forget), None))
    ]
    return RepresentationResult(
        num_fitted=len(fitted),
        num_neighbours=representation.NEIGHBOURS,
        forget_sets=sets,
        forget=sides[0],
        retain=sides[1],
        images=forget.astype(np.int32),
        probe={model: own[: len(forget)].astype(np.uint8) for model, own in correct["probe"].items()},
    )


def fitted_images(report: Report) -> np.ndarray:
    """Return the training images that a probe is fitted to: evenly spaced, as many of each class.

    Those of a forgotten class are among them, since the probe is to find this class; single forget images are not.
    """
    split = report.split
    pool = split.retain_train
    if report.spec.request.forget.kind == "classes":
        pool = np.sort(np.concatenate([split.forget_train, pool]))
    classes = np.unique(report.labels[pool])
    of_class = [pool[report.labels[pool] == label] for label in classes]
    return np.sort(np.concatenate([evenly_spaced(own, NUM_FITTED // len(classes)) for own in of_class]))


def forget_images(split: Split, fitted: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Return forget images that the probe is not fitted to, and the sets that they are from: held-out ones if any."""
    held_out = tuple(name for name in ("forget_val", "forget_test") if len(getattr(split, name)))
    sets = held_out or ("forget_train",)
    rows = np.setdiff1d(np.concatenate([getattr(split, name) for name in sets]), fitted)
    return sets, evenly_spaced(rows, NUM_EVALUATED)


def _score(correct: np.ndarray) -> Score:
    return score(int(correct.sum()), len(correct))


def _purpose(report: Report) -> str:
    reference = ", of the original and of the retrained one" if "gold" in report.evaluations else " and of the original"
    return (
        f"A model can lose what it should forget in its last layer alone. A new last layer is trained on the features "
        f"of this model{reference}, and evaluated on forget {report.dataset.item_noun}s: does it find them?"
    )


def _workload(report: Report, num_models: int) -> Workload:
    each = min(NUM_FITTED, report.dataset.train) + 2 * NUM_EVALUATED
    return Workload(evaluated_images=each * sum(model in report.evaluations for model in MODELS))


def _lacks_gold(report: Report) -> bool:
    """Return whether it was measured without gold, and there is a gold now."""
    return "gold" in report.evaluations and "gold" not in report[RepresentationResult].probe


JOB = OnDemandMeasurement(
    id="representation",
    title="Representation",
    documentation=representation.__doc__ or "",
    purpose=_purpose,
    action="Measure",
    unit="step",
    workload=_workload,
    is_outdated=_lacks_gold,
    measure=measure,
)
