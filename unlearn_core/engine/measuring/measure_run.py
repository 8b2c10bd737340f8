"""Measures a run after unlearning: first what the verdict needs, then the rest, part by part.

What unlearning left is stored before. Another attempt therefore measures the rest without unlearning again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import Method
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.course import RunSeconds, TimingsResult
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.results.result import ReportPart, Result
from unlearn_core.domain.split import Split
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring import measure
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.setup import ResolvedRun, resolve_run
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.installation import VERSION
from unlearn_core.probes import probes
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.training import weights

VERDICT = ("accuracy",)
"""The probes that are measured before the report opens, on the sets that verdicts compare."""
_VERDICT_SETS = ("forget_train", "forget_test", "retain_test")

ORDER = ("distance", "predictions", "cam", "confusion", "membership", "rmia", "layers", "cka")
"""The probes that are measured next, in this order, and before all others."""

WRITE_SECONDS = 0.5
"""Least seconds between two additions to a report: pages do not look more often."""


class UnlearnedRun(NamedTuple):
    """A run after unlearning; `parts` are what was recorded meanwhile, and `timings` lack the measurements."""

    resolved: ResolvedRun
    after: FrozenModel
    parts: dict[str, ReportPart]
    timings: TimingsResult


def store(run: UnlearnedRun, folder: Path) -> None:
    """Store what unlearning left; from then on `load` finds it."""
    for name, part in (run.parts | stored(run.timings)).items():
        artifacts.write_part(folder, name, part)
    weights.write(folder / artifacts.WEIGHTS_FILE, run.after.module)


def load(spec: UnlearnSpec, model_cache: ModelCache, folder: Path) -> UnlearnedRun | None:
    """Return the run that an earlier attempt stored in its folder; None if it did not come so far."""
    timings = artifacts.read_result(folder, TimingsResult) if artifacts.is_unlearned(folder) else None
    if timings is None:
        return None
    resolved = resolve_run(spec, model_cache)
    after = model_cache.load_model(resolved.card, "after", (folder / artifacts.WEIGHTS_FILE).read_bytes())
    found = {name: artifacts.read_part(folder, name) for name in artifacts.list_parts(folder)}
    parts = {name: part for name, part in found.items() if part is not None and name != TimingsResult.part}
    return UnlearnedRun(resolved, after, parts, timings)


def measure_run(
    run: UnlearnedRun, model_cache: ModelCache, tracker: RunTracker, listener: RunListener, folder: Path
) -> RunMetrics:
    """Measure a stored run, or what an earlier attempt did not measure of it; return its summary metrics.

    The report is in the folder as soon as the verdict is known, and grows until nothing is pending.
    """
    began = time.perf_counter()
    tracker.set_stage("evaluating")
    missing: dict[str, str] = {}
    models = measure.collect_models(run.resolved.spec, run.resolved, model_cache, run.after, missing)
    is_new = not artifacts.has_report(folder)
    report = _open(run, models, missing, model_cache, listener, folder) if is_new else reports.read_folder(folder)
    verdict = time.perf_counter()

    tracker.set_stage("measuring")
    # A retrained model that was finished since another attempt is added later, as to any finished run.
    models = {name: model for name, model in models.items() if name in report.evaluations or name == "other"}
    after = model_cache.finish_evaluation(
        report.evaluations["after"],
        run.after,
        run.resolved.card,
        rows=_held_out(run.resolved.split),
        check=listener.check,
    )
    held_out = time.perf_counter()
    evaluations = {**report.evaluations, "after": after}
    context, growing = measure.probe_context(run.resolved, models, evaluations), _GrowingReport(report, folder)
    for name in _in_order(report.pending, needs_all_images=False):
        listener.check()
        growing.add(name, probes()[name].measure(context))
    if SnapshotsResult.part in report.pending:
        snapshots = SnapshotsResult.from_part(run.parts[SnapshotsResult.part])
        growing.add(snapshots.part, measure.with_gold_maps(snapshots, run.resolved, models))
    growing.write()
    measured = time.perf_counter()

    after = model_cache.finish_evaluation(after, run.after, run.resolved.card, check=listener.check)
    evaluated = time.perf_counter()
    evaluations = {**report.evaluations, "after": after}
    growing.report, context = (
        replace(growing.report, evaluations=evaluations),
        context._replace(evaluations=evaluations),
    )
    for name in ("accuracy", *_in_order(report.pending, needs_all_images=True)):
        growing.add(name, probes()[name].measure(context))
    listener.check()
    seconds = _seconds(
        run.timings.seconds,
        evaluate=evaluated - measured + held_out - verdict + (verdict - began if is_new else 0),
        total=time.perf_counter() - began,
        verdict=verdict - began if is_new else None,
    )
    timings = run.timings.model_copy(update={"seconds": seconds})
    growing.add(TimingsResult.part, timings)
    # Runs of this data folder share their evaluations; a report elsewhere has its own files.
    growing.close(shared=model_cache.evaluations if folder.is_relative_to(model_cache.data_dir) else None)
    return _metrics(growing.report, timings, run.resolved.method)


class _GrowingReport:
    """A report in a folder to which parts are added; readers find either all of an addition or nothing."""

    def __init__(self, report: Report, folder: Path) -> None:
        self.report, self._folder = report, folder
        self._unwritten: dict[str, ReportPart] = {}
        self._written = time.monotonic()

    def add(self, name: str, result: Result | str) -> None:
        """Add a result, or the reason why it is missing; it is written after `WRITE_SECONDS` or by `write`."""
        missing = {**self.report.missing, name: result} if isinstance(result, str) else self.report.missing
        parts = {} if isinstance(result, str) else stored(result)
        self._unwritten |= parts
        self.report = replace(
            self.report,
            parts={**self.report.parts, **parts},
            missing=missing,
            pending=tuple(one for one in self.report.pending if one != name),
        )
        if self.report.pending and time.monotonic() - self._written >= WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what was added."""
        if self._unwritten:
            reports.update(self.report, self._folder, self._unwritten)
        self._unwritten, self._written = {}, time.monotonic()

    def close(self, *, shared: EvaluationStore | None) -> None:
        """Write the rest; nothing is pending then."""
        assert not self.report.pending, self.report.pending
        reports.write(replace(self.report, parts=self._unwritten), self._folder, shared=shared)


def _open(
    run: UnlearnedRun,
    models: Mapping[str, FrozenModel],
    missing: dict[str, str],
    model_cache: ModelCache,
    listener: RunListener,
    folder: Path,
) -> Report:
    """Write the report with what the verdict needs, and return it."""
    resolved, split = run.resolved, run.resolved.split
    judged = np.concatenate([getattr(split, name) for name in _VERDICT_SETS])
    # Measurements on held-out images use training images where there are no others.
    first = judged if len(split.retain_test) else np.arange(len(resolved.data.image_dataset.labels))
    evaluations = {
        name: model_cache.begin_evaluation(model, resolved.card, first=first, check=listener.check)
        if name == "after"
        else model_cache.evaluation(model, resolved.card)
        for name, model in models.items()
        if name != "other"
    }
    context = measure.probe_context(resolved, models, evaluations)
    snapshots = [SnapshotsResult.part] if SnapshotsResult.part in run.parts else []
    report = Report(
        run=None,
        spec=resolved.spec,
        classifier=resolved.card,
        dataset=resolved.data.card,
        method=resolved.method.title,
        labels=resolved.data.image_dataset.labels,
        split=split,
        evaluations=evaluations,
        parts={name: part for name, part in run.parts.items() if name not in snapshots}
        | measure.context_parts(resolved, context),
        missing=missing,
        pending=(*(name for name in measure.applicable_probes(resolved)), *snapshots, TimingsResult.part),
    )
    growing = _GrowingReport(report, folder)
    for name in VERDICT:
        growing.add(name, probes()[name].measure(context))
    shared = model_cache.evaluations if folder.is_relative_to(model_cache.data_dir) else None
    reports.write(growing.report, folder, shared=shared)
    return growing.report


def _held_out(split: Split) -> np.ndarray:
    """The images that probes read which do not need all."""
    return np.concatenate([rows for name, rows in split._asdict().items() if name != "retain_train"])


def _in_order(pending: Sequence[str], *, needs_all_images: bool) -> list[str]:
    """Return the probes among these parts that need all images or do not, in the order in which they are measured."""
    own = [name for name in pending if name in probes() and probes()[name].needs_all_images is needs_all_images]
    return sorted(own, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def _seconds(known: RunSeconds, *, evaluate: float, total: float, verdict: float | None) -> RunSeconds:
    seconds = known.model_copy(update={"total": known.total + total, "evaluate": evaluate, "probes": total - evaluate})
    return seconds if verdict is None else seconds.model_copy(update={"verdict": verdict})


def _metrics(report: Report, timings: TimingsResult, method: Method) -> RunMetrics:
    # The seconds per image in a stack do not predict those of a single run.
    speed = timings.seconds.forget / timings.images if timings.images and timings.stack_size == 1 else None
    made = RunMetrics(
        seconds=JobSeconds.model_validate(timings.seconds.model_dump(exclude_unset=True)),
        seconds_per_image=speed,
        weights=report.evaluations["after"].weights,
        preset=method.preset_of(report.spec) or "",
        revision=method.revision,
        version=VERSION,
        torch=torch.__version__,
    )
    tuning = report.get(TuningResult)
    made = made if tuning is None else made.updated(RunMetrics(found=tuning.params))
    return measure.metrics_of(report).updated(made)
