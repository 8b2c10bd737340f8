"""Runs the measurements: at the end of a run, and again once a missing gold exists."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation, Report, stored
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.metrics import RunMetrics, summary_metrics
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.results.result import ReportPart, Result
from unlearn_core.domain.verdicts import report_verdicts
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.retained_copies import count_copies
from unlearn_core.engine.setup import ResolvedRun, resolve_run, why_no_gold
from unlearn_core.models.further_golds import bundled_outputs
from unlearn_core.probes import probes
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.store.files import artifacts, reports


def collect_models(
    spec: UnlearnSpec, resolved: ResolvedRun, model_cache: ModelCache, after: FrozenModel, missing: dict[str, str]
) -> dict[str, FrozenModel]:
    """Return before, after and, as far as they exist, gold, twin (a second gold) and other (a second original).

    A model that does not exist gets its reason in `missing`.
    """
    models = {"before": resolved.before, "after": after}
    gold = None if spec.start is not None else model_cache.gold(resolved.card, spec.request, 0)
    if gold is None:
        missing["gold"] = why_no_gold(spec.request, spec.start, resolved.card)
    else:
        models["gold"] = gold
        twin = model_cache.gold(resolved.card, spec.request, 1)
        if twin is None:
            missing["twin"] = (
                "There are the weights of only one retrained model for this request, so the variation between weights "
                "of retrained models is unknown."
            )
        else:
            models["twin"] = twin
    other = model_cache.original(resolved.card, other_seed=True)
    if other is None:
        missing["other"] = (
            f"{resolved.card.title} has only one original model, so the variation between seeds is unknown."
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
    """Return the part of every probe (or of those in `only`), the copies of forget images, and outputs of more golds.

    An unavailable probe gets its reason in `missing`.
    """
    context = probe_context(resolved, models, evaluations)
    parts = context_parts(resolved, context) if only is None else {}
    for name, probe in applicable_probes(resolved).items():
        if only is not None and name not in only:
            continue
        result = probe.measure(context)
        if isinstance(result, str):
            missing[name] = result
        else:
            parts |= stored(result)
    return parts


def context_parts(resolved: ResolvedRun, context: ProbeContext) -> dict[str, ReportPart]:
    """Return what reports say beside the probes: the copies of forget images, and the outputs of further golds."""
    return stored(count_copies(resolved), *([context.further_golds] if context.further_golds else []))


def applicable_probes(resolved: ResolvedRun) -> dict[str, Probe]:
    """Return the probes that apply to the data set of a run."""
    is_points, is_mislabelled = resolved.data.card.is_points, len(resolved.data.image_dataset.mislabelled) > 0
    return {
        name: probe
        for name, probe in probes().items()
        if (is_points or not probe.points_only) and (is_mislabelled or not probe.mislabelled_only)
    }


def probe_context(
    resolved: ResolvedRun, models: Mapping[str, FrozenModel], evaluations: Mapping[str, Evaluation]
) -> ProbeContext:
    """Return the input of every probe."""
    request = resolved.spec.request
    forget = request.forget
    return ProbeContext(
        spec=resolved.spec,
        classifier=resolved.card,
        dataset=resolved.data.card,
        images=resolved.data.images,
        labels=resolved.data.image_dataset.labels,
        split=resolved.split,
        evaluations=evaluations,
        models={name: model.module for name, model in models.items()},
        forgotten_classes=forget.classes if isinstance(forget, ForgetClasses) else (),
        further_golds=bundled_outputs(request) if "gold" in evaluations else None,
        true_labels=resolved.data.image_dataset.true_labels,
    )


class LoadedRun(NamedTuple):
    """A finished run with everything that is needed to measure it again."""

    folder: Path
    report: Report
    resolved: ResolvedRun
    after: FrozenModel


def load_run(run: int, model_cache: ModelCache) -> LoadedRun:
    """Load a finished run.

    Raises InvalidRequestError if it has no weights or is not measured, StoreError if its report is damaged.
    """
    folder = artifacts.run_dir(model_cache.data_dir, run)
    if not (folder / artifacts.WEIGHTS_FILE).exists():
        raise InvalidRequestError(f"Run {run} has no stored weights, so it cannot be measured again. Start it again.")
    report = reports.read(model_cache.data_dir, run)
    if report.pending:
        raise InvalidRequestError(f"The report of run {run} is not complete, so nothing can be added. Run it again.")
    resolved = resolve_run(report.spec, model_cache)
    after = model_cache.load_model(resolved.card, "after", (folder / artifacts.WEIGHTS_FILE).read_bytes())
    return LoadedRun(folder, report, resolved, after)


def store_measurement(loaded: LoadedRun, name: str, result: Result | str, model_cache: ModelCache) -> None:
    """Add a result measured on request to a finished run's report, or the reason why it is missing."""
    if isinstance(result, str):
        missing = {**loaded.report.missing, name: result}
        reports.write(replace(loaded.report, parts={}, missing=missing), loaded.folder, shared=model_cache.evaluations)
    else:
        artifacts.write_part(loaded.folder, name, result.to_part())


def remeasure(run: int, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Measure a finished run again with the models that exist now; return its new summary metrics.

    Only the probes' parts are rewritten. What was recorded during the run stays, with gold's maps added.
    """
    listener.check()
    folder, old, resolved, after = load_run(run, model_cache)
    missing: dict[str, str] = {}
    models = collect_models(old.spec, resolved, model_cache, after, missing)
    evaluations = {
        name: model_cache.evaluation(model, resolved.card) for name, model in models.items() if name != "other"
    }
    parts = run_probes(old.spec, resolved, models, evaluations, missing)
    if (snapshots := old.get(SnapshotsResult)) is not None:
        parts |= stored(with_gold_maps(snapshots, resolved, models))
    new = Report(
        run=run,
        spec=old.spec,
        classifier=resolved.card,  # Its recipe may have been confirmed since.
        dataset=old.dataset,
        method=old.method,
        labels=old.labels,
        split=old.split,
        evaluations=evaluations,
        parts=parts,
        missing=missing,
    )
    reports.write(new, folder, shared=model_cache.evaluations)
    return metrics_of(new)


def metrics_of(report: Report) -> RunMetrics:
    """Return the summary metrics of a report's measurements."""
    return summary_metrics(
        {name: own.weights for name, own in report.evaluations.items()},
        report[AccuracyResult],
        report.get(DistanceResult),
        report.get(MembershipResult),
    ).updated(RunMetrics(verdict=report_verdicts.recorded(report)))


def with_gold_maps(
    snapshots: SnapshotsResult, resolved: ResolvedRun, models: Mapping[str, FrozenModel]
) -> SnapshotsResult:
    """Return the snapshots with gold's Grad-CAM maps of the monitored images, where both exist."""
    if "gold" not in models or snapshots.no_maps:
        return snapshots
    images = torch.from_numpy(snapshots.pixels).to(resolved.data.images.device)
    targets = resolved.data.image_dataset.labels[snapshots.shown].tolist()
    gold, prefix = {"gold": models["gold"].module}, resolved.card.roles.prefix_tokens
    maps = class_activation.explain(gold, images, targets, snapshots.layer, prefix_tokens=prefix)["gold"]
    return snapshots.model_copy(update={"gold_maps": maps.astype(np.float16)})
