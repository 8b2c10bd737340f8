"""The map of features of a run: the last layer of before, after and gold on the same images, in one layout."""

import numpy as np

from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.features import FeatureMapResult, MappedFeatures
from unlearn_core.domain.split import Split, evenly_spaced
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun, collect_models
from unlearn_core.engine.measuring.model_features import collect_features
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.probes.common import feature_map
from unlearn_core.probes.common.feature_map import NEIGHBOURS, Silhouette, nearest, shared_neighbours

NUM_IMAGES = 500
"""The images on a map."""
MAX_FORGET = 100
"""The most of them that are of the forget set: twice their share in a data set of ten classes."""
MIN_IMAGES = 3 * NEIGHBOURS
"""With fewer images, most of them are neighbours."""


def measure(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> FeatureMapResult | str:
    """Return the map of the models of a run that exist, or why there is none."""
    report, card = loaded.report, loaded.resolved.card
    forget_set, retain_set = mapped_sets(report.split)
    forget = evenly_spaced(getattr(report.split, forget_set), MAX_FORGET)
    rows = np.concatenate([forget, evenly_spaced(getattr(report.split, retain_set), NUM_IMAGES - len(forget))])
    if len(rows) < MIN_IMAGES:
        return f"A map needs at least {MIN_IMAGES} {report.dataset.item_noun}s, and there are {len(rows)}."
    found = collect_models(report.spec, loaded.resolved, model_cache, loaded.after, {})
    models = {name: found[name] for name in MODELS if name in found}
    track = RunTracker(listener)
    features = collect_features(models, card, rows, model_cache, track)
    listener.check()
    forgotten = np.arange(len(rows)) < len(forget)
    points = feature_map.draw(features, ~forgotten)
    listener.check()
    labels, neighbours = report.labels[rows], {name: nearest(own) for name, own in features.items()}
    return FeatureMapResult(
        num_forget=len(forget),
        forget_set=forget_set,
        retain_set=retain_set,
        layer=card.roles.head[0],
        num_neighbours=NEIGHBOURS,
        models={
            name: _numbers(
                feature_map.silhouette(own, labels, forgotten),
                shared_neighbours(neighbours["before"], neighbours[name]),
                forgotten,
                preserved=float(shared_neighbours(neighbours[name], nearest(points[name])).mean()),
            )
            for name, own in features.items()
        },
        images=rows.astype(np.int32),
        points=points,
    )


def _numbers(silhouette: Silhouette, shared: np.ndarray, forgotten: np.ndarray, *, preserved: float) -> MappedFeatures:
    return MappedFeatures(
        silhouette_forget=silhouette.forget,
        silhouette_retain=silhouette.retain,
        neighbours_forget=float(shared[forgotten].mean()),
        neighbours_retain=float(shared[~forgotten].mean()),
        preserved=preserved,
    )


def mapped_sets(split: Split) -> tuple[str, str]:
    """Return the sets on the map: test images where there are any, since no model was trained on these."""
    return (
        "forget_test" if len(split.forget_test) else "forget_train",
        "retain_test" if len(split.retain_test) else "retain_train",
    )


def _purpose(report: Report) -> str:
    reference = " and the retrained" if "gold" in report.evaluations else ""
    return (
        f"The original, the unlearned{reference} model each turn an image into features, from which their last layer "
        f"predicts its class. The map shows which {report.dataset.item_noun}s the features of each model keep together."
    )


def _workload(report: Report, num_models: int) -> Workload:
    return Workload(evaluated_images=NUM_IMAGES * sum(model in report.evaluations for model in MODELS))


def _lacks_gold(report: Report) -> bool:
    """Return whether it was measured without gold, and there is a gold now."""
    return "gold" in report.evaluations and "gold" not in report[FeatureMapResult].models


JOB = OnDemandMeasurement(
    id="feature_map",
    title="Map of features",
    documentation=feature_map.__doc__ or "",
    purpose=_purpose,
    action="Draw the map",
    unit="step",
    workload=_workload,
    is_outdated=_lacks_gold,
    measure=measure,
)
