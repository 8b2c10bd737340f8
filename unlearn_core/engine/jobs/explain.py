"""Answers small questions about finished runs: where do the three models look in this picture?"""

from pathlib import Path
from typing import Any

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.engine.measure import collect_models
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.statistics import prediction
from unlearn_core.store.files import artifacts, reports


def explain_image(spec: ExplainSpec, model_cache: ModelCache, folder: Path) -> dict[str, Any]:
    """Heat maps and predictions of one picture for one class, written as a part of the kind that the probe writes.

    Raises BadRequest where the run has no such picture or class, or the classifier no such layer with maps.
    """
    report = reports.read(model_cache.data_dir, spec.run)
    if spec.picture >= len(report.labels) or spec.target >= len(report.dataset.classes):
        raise InvalidRequestError(f"Run {spec.run} has no picture {spec.picture} or no class {spec.target}.")
    layout = resolve_run(report.spec, model_cache)
    roles = layout.card.roles
    layer = spec.layer or roles.cam
    if layer not in (roles.cam, *roles.layers, *roles.explainable_layers):
        raise InvalidRequestError(
            f"{layout.card.title} has no layer {layer}. Choose one of those that the page offers."
        )
    kept = artifacts.run_dir(model_cache.data_dir, spec.run) / artifacts.WEIGHTS_FILE
    after = model_cache.load_model(layout.card, "after", kept.read_bytes())
    models = collect_models(report.spec, layout, model_cache, after, {})
    nets = {name: models[name].module for name in report.evaluations}
    pictures = layout.data.images[spec.picture][None]
    maps = class_activation.explain(
        nets, pictures, [spec.target], layer, algorithm=spec.algorithm, prefix_tokens=roles.prefix_tokens
    )
    sides = (name for name in report.split._fields if spec.picture in getattr(report.split, name))
    card = {
        "picture": spec.picture,
        "set": next(sides),
        "label": int(report.labels[spec.picture]),
        "target": spec.target,
        "models": {
            model: prediction(report.evaluations[model].logits[spec.picture], spec.target)
            | {"peak": float(maps[model].max())}
            for model in nets
        },
    }
    facts = {"cards": [card], "layer": layer, "algorithm": spec.algorithm}
    artifacts.write_part(folder, "cam", ReportPart(facts, {"pictures": pictures.cpu().numpy(), **maps}))
    return {"picture": spec.picture}
