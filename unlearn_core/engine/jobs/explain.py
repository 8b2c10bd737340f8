"""Computes Grad-CAM heat maps of one image on request, for the models of a finished run, with their deletion tests."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unlearn_core.data.ingest import own_image
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.job import Job
from unlearn_core.engine.measuring.measure import collect_models
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, resolve_run
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.deletion_test import deletion_test
from unlearn_core.probes.common.statistics import explanation
from unlearn_core.store.files import artifacts, reports
from unlearn_core.training import evaluate


class _Question(NamedTuple):
    """The image in question."""

    image: Tensor
    """(H, W, 3) uint8."""
    set: str
    label: int | None
    logits: dict[str, np.ndarray]
    """By model: (C,)."""


def explain_image(spec: ExplainSpec, model_cache: ModelCache, folder: Path) -> RunMetrics:
    """Write heat maps, predictions and deletion tests of one image for one class, as a result like the probe's.

    Raises InvalidRequestError if the run has no such image or class, the classifier no such layer with maps, or if an
    uploaded image is no longer stored.
    """
    report = reports.read(model_cache.data_dir, spec.run)
    if report.pending:
        raise InvalidRequestError(f"The report of run {spec.run} is not complete. Wait until all is measured.")
    if (spec.picture or 0) >= len(report.labels) or (spec.target or 0) >= len(report.dataset.classes):
        raise InvalidRequestError(f"Run {spec.run} has no image {spec.picture} or no class {spec.target}.")
    resolved = resolve_run(report.spec, model_cache)
    roles = resolved.card.roles
    layer = spec.layer or class_activation.require_layer(roles.cam)
    if layer not in (roles.cam, *roles.layers, *roles.explainable_layers):
        raise InvalidRequestError(f"{resolved.card.title} has no layer {layer}. Choose one of the layers on the page.")
    file = artifacts.run_dir(model_cache.data_dir, spec.run) / artifacts.WEIGHTS_FILE
    if not file.exists():
        raise InvalidRequestError(f"Run {spec.run} has no stored weights, so it cannot be explained. Start it again.")
    after = model_cache.load_model(resolved.card, "after", file.read_bytes())
    models = collect_models(report.spec, resolved, model_cache, after, {})
    modules = {name: models[name].module for name in report.evaluations}
    asked = _question(spec, report, resolved, model_cache, modules)
    original = next(iter(asked.logits.values()))
    target = int(original.argmax()) if spec.target is None else spec.target
    compared = class_activation.similar_classes(original, target) if spec.algorithm == "finercam" else []
    maps = class_activation.explain(
        modules,
        asked.image[None],
        [target],
        layer,
        algorithm=spec.algorithm,
        prefix_tokens=roles.prefix_tokens,
        compared=[compared],
    )
    explained = ExplainedImage(
        image=spec.picture,
        set=asked.set,
        label=asked.label,
        target=target,
        models={
            model: explanation(asked.logits[model], target, maps[model][0]).model_copy(
                update={"deletion": deletion_test(module, asked.image, maps[model][0], target)}
            )
            for model, module in modules.items()
        },
        compared=compared,
    )
    pixels = asked.image[None].cpu().numpy()
    found = CamResult(
        images=[explained],
        layer=layer,
        algorithm=spec.algorithm,
        pixels=pixels[:0] if spec.upload else pixels,  # An uploaded image can be removed: it is in one place only.
        maps=maps,
    )
    artifacts.write_result(folder, found)
    return RunMetrics(image=spec.picture)


def _question(
    spec: ExplainSpec,
    report: Report,
    resolved: ResolvedRun,
    model_cache: ModelCache,
    modules: dict[str, torch.nn.Module],
) -> _Question:
    number = spec.picture
    if number is not None:
        return _Question(
            resolved.data.images[number],
            next(name for name in report.split._fields if number in getattr(report.split, name)),
            int(report.labels[number]),
            {model: found.logits[number] for model, found in report.evaluations.items()},
        )
    pixels = own_image.read(model_cache.data_dir, spec.upload, size=resolved.data.card.size)
    image = torch.from_numpy(pixels.copy()).to(model_cache.device)
    return _Question(
        image, "upload", None, {name: evaluate.logits(module, image[None])[0] for name, module in modules.items()}
    )


JOB = Job(spec=ExplainSpec, execute=lambda spec, context: explain_image(spec, context.model_cache, context.folder))
