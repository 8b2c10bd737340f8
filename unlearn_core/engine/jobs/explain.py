"""Computes Grad-CAM heat maps of one image on request, for the models of a finished run."""

from pathlib import Path

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.job import Job
from unlearn_core.engine.measuring.measure import collect_models
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.statistics import explanation
from unlearn_core.store.files import artifacts, reports


def explain_image(spec: ExplainSpec, model_cache: ModelCache, folder: Path) -> RunMetrics:
    """Write heat maps and predictions of one image for one class, as a result like the probe's.

    Raises InvalidRequestError if the run has no such image or class, or the classifier no such layer with maps.
    """
    report = reports.read(model_cache.data_dir, spec.run)
    if report.pending:
        raise InvalidRequestError(f"The report of run {spec.run} is not complete. Wait until all is measured.")
    if spec.picture >= len(report.labels) or spec.target >= len(report.dataset.classes):
        raise InvalidRequestError(f"Run {spec.run} has no image {spec.picture} or no class {spec.target}.")
    resolved = resolve_run(report.spec, model_cache)
    roles = resolved.card.roles
    layer = spec.layer or class_activation.require_layer(roles.cam)
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
    explained = ExplainedImage(
        image=spec.picture,
        set=next(name for name in report.split._fields if spec.picture in getattr(report.split, name)),
        label=int(report.labels[spec.picture]),
        target=spec.target,
        models={
            model: explanation(report.evaluations[model].logits[spec.picture], spec.target, maps[model])
            for model in modules
        },
    )
    found = CamResult(images=[explained], layer=layer, algorithm=spec.algorithm, pixels=images.cpu().numpy(), maps=maps)
    artifacts.write_result(folder, found)
    return RunMetrics(image=spec.picture)


JOB = Job(spec=ExplainSpec, execute=lambda spec, context: explain_image(spec, context.model_cache, context.folder))
