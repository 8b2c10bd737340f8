"""Computes Grad-CAM heat maps of one image on request, for the models of a finished run."""

from pathlib import Path
from typing import Any

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.engine.measure import collect_models
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.statistics import prediction
from unlearn_core.store.files import artifacts, reports


def explain_image(spec: ExplainSpec, model_cache: ModelCache, folder: Path) -> dict[str, Any]:
    """Write heat maps and predictions of one image for one class, as a part of the same form as the probe's.

    Raises InvalidRequestError if the run has no such image or class, or the classifier no such layer with maps.
    """
    report = reports.read(model_cache.data_dir, spec.run)
    if spec.picture >= len(report.labels) or spec.target >= len(report.dataset.classes):
        raise InvalidRequestError(f"Run {spec.run} has no image {spec.picture} or no class {spec.target}.")
    resolved = resolve_run(report.spec, model_cache)
    roles = resolved.card.roles
    layer = spec.layer or roles.cam
    if layer not in (roles.cam, *roles.layers, *roles.explainable_layers):
        raise InvalidRequestError(f"{resolved.card.title} has no layer {layer}. Choose one of the layers on the page.")
    file = artifacts.run_dir(model_cache.data_dir, spec.run) / artifacts.WEIGHTS_FILE
    after = model_cache.load_model(resolved.card, "after", file.read_bytes())
    models = collect_models(report.spec, resolved, model_cache, after, {})
    modules = {name: models[name].module for name in report.evaluations}
    images = resolved.data.images[spec.picture][None]
    maps = class_activation.explain(
        modules, images, [spec.target], layer, algorithm=spec.algorithm, prefix_tokens=roles.prefix_tokens
    )
    sets = (name for name in report.split._fields if spec.picture in getattr(report.split, name))
    card = {
        "picture": spec.picture,
        "set": next(sets),
        "label": int(report.labels[spec.picture]),
        "target": spec.target,
        "models": {
            model: prediction(report.evaluations[model].logits[spec.picture], spec.target)
            | {"peak": float(maps[model].max())}
            for model in modules
        },
    }
    facts = {"cards": [card], "layer": layer, "algorithm": spec.algorithm}
    artifacts.write_part(folder, "cam", ReportPart(facts, {"pictures": images.cpu().numpy(), **maps}))
    return {"picture": spec.picture}
