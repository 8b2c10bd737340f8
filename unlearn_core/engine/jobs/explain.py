"""Answers small questions about finished runs: where do the three models look in this picture?"""

from pathlib import Path
from typing import Any

from unlearn_core.domain.errors import BadRequest
from unlearn_core.domain.jobs import Look
from unlearn_core.domain.measurement import Part
from unlearn_core.engine.measure import models_of
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.setup import lay_out
from unlearn_core.probes import cam
from unlearn_core.probes.common import class_activation
from unlearn_core.store.files import artifacts, reports


def answer(look: Look, warm: Warm, folder: Path) -> dict[str, Any]:
    """Heat maps and predictions of one picture for one class, written as a part of the kind that the probe writes.

    Raises BadRequest where the run has no such picture or class, or the classifier no such layer with maps.
    """
    report = reports.read(warm.home, look.run)
    if look.picture >= len(report.labels) or look.target >= len(report.dataset.classes):
        raise BadRequest(f"Run {look.run} has no picture {look.picture} or no class {look.target}.")
    layout = lay_out(report.spec, warm)
    roles = layout.card.roles
    layer = look.layer or roles.cam
    if layer not in (roles.cam, *roles.layers, *roles.with_maps):
        raise BadRequest(f"{layout.card.title} has no layer {layer}. Choose one of those that the page offers.")
    kept = artifacts.folder_of(warm.home, look.run) / artifacts.WEIGHTS
    after = warm.from_bytes(layout.card, "after", kept.read_bytes())
    models = models_of(report.spec, layout, warm, after, {})
    nets = {name: models[name].net for name in report.evaluations}
    pictures = layout.data.images[look.picture][None]
    maps = class_activation.explain(
        nets, pictures, [look.target], layer, algorithm=look.algorithm, prefix_tokens=roles.prefix_tokens
    )
    sides = (name for name in report.split._fields if look.picture in getattr(report.split, name))
    card = {
        "picture": look.picture,
        "set": next(sides),
        "label": int(report.labels[look.picture]),
        "target": look.target,
        "models": {
            model: cam.answer(report.evaluations[model].logits[look.picture], look.target)
            | {"peak": float(maps[model].max())}
            for model in nets
        },
    }
    facts = {"cards": [card], "layer": layer, "algorithm": look.algorithm}
    artifacts.write_part(folder, "cam", Part(facts, {"pictures": pictures.cpu().numpy(), **maps}))
    return {"picture": look.picture}
