"""Lets the probes look: when a run ends, and again when a gold that it lacked is there."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import Evaluation, Report, summary_metrics
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.setup import ResolvedRun, resolve_run, why_no_gold
from unlearn_core.probes import probes
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.store.files import artifacts, reports


def collect_models(
    spec: UnlearnSpec, resolved: ResolvedRun, model_cache: ModelCache, after: FrozenModel, missing: dict[str, str]
) -> dict[str, FrozenModel]:
    """Before, after, and as far as they exist gold, a twin of gold and one of the original from other seeds.

    What does not exist gets its reason in `missing`.
    """
    models = {"before": resolved.before, "after": after}
    gold = None if spec.start is not None else model_cache.gold(resolved.card, spec.request, 0)
    if gold is None:
        missing["gold"] = why_no_gold(spec.request, spec.start, resolved.card)
    else:
        models["gold"] = gold
        twin = model_cache.gold(resolved.card, spec.request, 1)
        if twin is None:
            missing["twin"] = "There is one gold for this request, so how far two golds are apart is not known."
        else:
            models["twin"] = twin
    other = model_cache.original(resolved.card, other_seed=True)
    if other is None:
        missing["other"] = (
            f"{resolved.card.title} ships with one original only, so the spread between seeds is unknown."
        )
    else:
        models["other"] = other
    return models


def run_probes(
    spec: UnlearnSpec,
    resolved: ResolvedRun,
    models: Mapping[str, FrozenModel],
    evaluations: Mapping[str, Evaluation],
    missing: dict[str, str],
    *,
    only: Collection[str] | None = None,
) -> dict[str, ReportPart]:
    """Every probe's part, or those named; what a probe cannot measure here gets its reason in `missing`."""
    wish = spec.request.forget
    scene = ProbeContext(
        spec=spec,
        classifier=resolved.card,
        dataset=resolved.data.card,
        images=resolved.data.images,
        labels=resolved.data.image_dataset.labels,
        split=resolved.split,
        evaluations=evaluations,
        models={name: one.module for name, one in models.items()},
        forgotten_classes=wish.classes if isinstance(wish, ForgetClasses) else (),
    )
    parts = {}
    for name, probe in probes().items():
        if (only is not None and name not in only) or (probe.points_only and not resolved.data.card.is_points):
            continue
        part = probe.measure(scene)
        if isinstance(part, ReportPart):
            parts[name] = part
        else:
            missing[name] = part
    return parts


class LoadedRun(NamedTuple):
    """A finished run with everything that measuring it again needs."""

    folder: Path
    report: Report
    resolved: ResolvedRun
    after: FrozenModel


def load_run(run: int, model_cache: ModelCache) -> LoadedRun:
    """Loads a finished run. Raises BadRequest where it kept no weights, StoreError where its report is damaged."""
    folder = artifacts.run_dir(model_cache.data_dir, run)
    if not (folder / artifacts.WEIGHTS_FILE).exists():
        raise InvalidRequestError(f"Run {run} kept no weights, so nothing can be measured any more.")
    report = reports.read(model_cache.data_dir, run)
    layout = resolve_run(report.spec, model_cache)
    after = model_cache.load_model(layout.card, "after", (folder / artifacts.WEIGHTS_FILE).read_bytes())
    return LoadedRun(folder, report, layout, after)


def store_measurement(loaded: LoadedRun, name: str, result: ReportPart | str, model_cache: ModelCache) -> None:
    """Puts a part that somebody asked for into a finished run's report, or the reason for its absence."""
    if isinstance(result, ReportPart):
        artifacts.write_part(loaded.folder, name, result)
        return
    missing = {**loaded.report.missing, name: result}
    reports.write(replace(loaded.report, parts={}, missing=missing), loaded.folder, shared=model_cache.evaluations)


def remeasure(run: int, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """Measures a finished run once more, now with what exists by now; gives the run's new headline.

    Only the probes' parts are written anew: what was recorded while the run went on stays as it is, but for gold's
    maps beside it.
    """
    listener.check()
    folder, old, layout, after = load_run(run, model_cache)
    missing: dict[str, str] = {}
    models = collect_models(old.spec, layout, model_cache, after, missing)
    evaluations = {name: model_cache.evaluation(one, layout.card) for name, one in models.items() if name != "other"}
    parts = run_probes(old.spec, layout, models, evaluations, missing)
    if "snapshots" in old.parts:
        parts["snapshots"] = old.parts["snapshots"]
        add_gold_snapshots(parts, layout, models)
    new = Report(
        run=run,
        spec=old.spec,
        classifier=layout.card,  # Its recipe may have been confirmed since.
        dataset=old.dataset,
        method=old.method,
        labels=old.labels,
        split=old.split,
        evaluations=evaluations,
        parts=parts,
        missing=missing,
    )
    reports.write(new, folder, shared=model_cache.evaluations)
    return summary_metrics(parts, {model: one.weights for model, one in evaluations.items()})


def add_gold_snapshots(parts: dict[str, ReportPart], resolved: ResolvedRun, models: Mapping[str, FrozenModel]) -> None:
    """Puts gold's maps of the pictures that were watched beside those of the run, where both exist."""
    part = parts.get("snapshots")
    if part is None or "gold" not in models or part.facts.get("no_maps", "recorded by an older release"):
        return
    pictures = torch.from_numpy(part.arrays["pictures"]).to(resolved.data.images.device)
    targets = resolved.data.image_dataset.labels[part.arrays["shown"]].tolist()
    gold, prefix = {"gold": models["gold"].module}, resolved.card.roles.prefix_tokens
    maps = class_activation.explain(gold, pictures, targets, part.facts["layer"], prefix_tokens=prefix)["gold"]
    parts["snapshots"] = ReportPart(part.facts, part.arrays | {"gold_maps": maps.astype(np.float16)})
