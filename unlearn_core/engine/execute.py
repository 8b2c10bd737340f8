"""Executes a job: for an unlearning run it unlearns, evaluates the models, measures, and writes the report."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.jobs import MeasureSpec, UnlearnSpec
from unlearn_core.domain.report import Report, forget_set_title, stored
from unlearn_core.domain.results.course import EarlyStop, PhaseTiming, RunSeconds, TimingsResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Run
from unlearn_core.domain.split import evenly_spaced
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.forecasts import run_memory
from unlearn_core.engine.job import JobContext, OnDemandMeasurement
from unlearn_core.engine.jobs import jobs, on_demand_measurement
from unlearn_core.engine.listener import NullListener, RunListener
from unlearn_core.engine.measuring import measure, measure_run
from unlearn_core.engine.model_cache import ModelCache, freeze_result
from unlearn_core.engine.record_run import record_run
from unlearn_core.engine.setup import ResolvedRun, build_problem, check_disk, resolve_run
from unlearn_core.engine.tracking.snapshot_recorder import SnapshotRecorder
from unlearn_core.engine.tracking.tracker import CancelOnlyTracker, RunTracker
from unlearn_core.engine.tuning import early_stop, find_settings
from unlearn_core.installation import VERSION, source_digest
from unlearn_core.probes.common import class_activation
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training.problem import Problem
from unlearn_core.training.seeding import seeded

__all__ = ["ModelCache", "RunListener", "RunResult", "execute_job", "run_title", "unlearn"]

MONITORED_IMAGES = {"forget_train": 30, "forget_val": 50, "retain_val": 80}
"""How many fixed images are evaluated during a run; never test images, which must not guide any choice."""


class RunResult(NamedTuple):
    """A finished run: its report, its folder, its number in the history (None outside of it), its summary metrics."""

    report: Report
    folder: Path
    run: int | None
    metrics: RunMetrics


def execute_job(run: Run, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Execute a job of any kind and write its results; return its summary metrics.

    Raises CancelledError or PreemptedError on the listener's request, and UnlearnError if the job cannot be done.
    """
    folder = artifacts.run_dir(model_cache.data_dir, run.id)
    match run.spec:
        case UnlearnSpec():
            return _unlearn(run.spec, model_cache, listener, folder)
        case MeasureSpec(what="new"):
            return measure.remeasure(run.spec.run, model_cache, listener)
        case MeasureSpec():
            return measure_on_demand(run.spec, model_cache, listener)
        case _:
            return jobs()[type(run.spec)].execute(run.spec, JobContext(model_cache, listener, folder))


def measure_on_demand(spec: MeasureSpec, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Add a measurement on request to a finished run's report, or why it is missing; return its summary metrics."""
    listener.check()
    measurement, loaded = on_demand_measurement(spec.what), measure.load_run(spec.run, model_cache)
    return add_to_report(measurement, loaded, spec.nets, model_cache, listener)


def add_to_report(
    measurement: OnDemandMeasurement,
    loaded: measure.LoadedRun,
    num_models: int,
    model_cache: ModelCache,
    listener: RunListener,
) -> RunMetrics:
    """Do the same for a loaded report in any folder."""
    result = measurement.measure(loaded, num_models, model_cache, listener)
    listener.check()
    measure.store_measurement(loaded, measurement.id, result, model_cache)
    if isinstance(result, str):
        return RunMetrics.model_validate({measurement.id: None})
    return measurement.metrics(result)


def unlearn(
    spec: UnlearnSpec,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    listener: RunListener | None = None,
    out: Path | None = None,
    group: str | None = None,
) -> RunResult:
    """Unlearn in this process: for notebooks, scripts and the command line.

    The run joins the history of the data folder, there in a `group` if one is given, unless `out` names a folder for
    its report; that folder then holds everything needed to read it. Raises UnlearnError if the run cannot be done.
    """
    device, folder = resolve_device(device), data_dir or open_data_dir()
    model_cache, listener = ModelCache(device, folder), listener or NullListener()
    resolve_run(spec, model_cache)  # An invalid spec leaves no row in the history.
    if out is not None:
        metrics = _unlearn(spec, model_cache, listener, out)
        return RunResult(reports.read_folder(out), out, None, metrics)
    run, metrics = record_run(
        RunStore(folder),
        spec,
        title=run_title(spec, model_cache),
        device=device,
        work=lambda run: _unlearn(spec, model_cache, listener, artifacts.run_dir(folder, run)),
        group=group,
    )
    return RunResult(reports.read(folder, run), artifacts.run_dir(folder, run), run, metrics)


def run_title(spec: UnlearnSpec, model_cache: ModelCache) -> str:
    """Return the title of a run, such as "Forget cat with UNSIR"."""
    resolved = resolve_run(spec, model_cache)
    return f"Forget {forget_set_title(spec, resolved.data.card)} with {resolved.method.title}"


class PreparedRun(NamedTuple):
    """A run that is ready to unlearn; `load_seconds` is the time that this took."""

    resolved: ResolvedRun
    problem: Problem
    tracker: RunTracker
    listener: RunListener
    started: str
    load_seconds: float
    tuning: TuningResult | None = None
    search_seconds: float | None = None
    stopped: EarlyStop | None = None


def prepare_run(spec: UnlearnSpec, model_cache: ModelCache, listener: RunListener) -> PreparedRun:
    """Load and check everything that a run needs. Raises UnlearnError if its spec is invalid."""
    began, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    resolved = resolve_run(spec, model_cache)
    problem = build_problem(resolved, model_cache)
    tracker = RunTracker(listener, _make_recorder(resolved, problem.model))
    return PreparedRun(resolved, problem, tracker, listener, started, time.perf_counter() - began)


def _unlearn(spec: UnlearnSpec, model_cache: ModelCache, listener: RunListener, folder: Path) -> RunMetrics:
    unlearned = measure_run.load(spec, model_cache, folder)
    if unlearned is not None:  # An earlier attempt was stopped while it measured.
        return measure_run.measure_run(unlearned, model_cache, RunTracker(listener), listener, folder)
    prepared = prepare_run(spec, model_cache, listener)
    check_disk(prepared.resolved, folder)
    if spec.auto:
        prepared = _tuned(prepared)
    began = time.perf_counter()
    # Dropout layers draw from the global random state; everything else has its own random streams.
    noise = seeded(spec.seed, "noise", device=model_cache.device)
    with run_memory.checked(prepared.resolved, model_cache), noise:
        stopped = early_stop.forget(prepared.resolved, prepared.problem, prepared.tracker)
    prepared = prepared._replace(stopped=stopped)
    synchronize(model_cache.device)
    return complete_run(prepared, model_cache, folder, forget_seconds=time.perf_counter() - began)


def _tuned(prepared: PreparedRun) -> PreparedRun:
    """Find the hyperparameters that the spec leaves to the run."""
    began, resolved = time.perf_counter(), prepared.resolved
    found = find_settings.find(
        resolved, prepared.problem, lambda: CancelOnlyTracker(prepared.listener), prepared.tracker.search
    )
    prepared.tracker.restart_clock()
    tuned = resolved._replace(params=resolved.params.updated(dict(found.params)))
    return prepared._replace(resolved=tuned, tuning=found, search_seconds=time.perf_counter() - began)


def complete_run(
    prepared: PreparedRun, model_cache: ModelCache, folder: Path, *, forget_seconds: float, stack_size: int = 1
) -> RunMetrics:
    """Store what unlearning left, measure it, write its report, and return its summary metrics.

    For a stack of `stack_size` runs, `forget_seconds` is this run's share of the time of the stack.
    """
    tracker = prepared.tracker
    tracker.set_stage("evaluating")
    results = (prepared.tuning, tracker.curves(prepared.stopped), tracker.snapshots())
    recorded = (*tracker.artifacts(), *filter(None, results))
    unlearned = measure_run.UnlearnedRun(
        prepared.resolved,
        freeze_result(prepared.problem.model),
        stored(*recorded),
        _timings(prepared, forget_seconds, stack_size, device=str(model_cache.device)),
    )
    prepared.listener.check()
    measure_run.store(unlearned, folder)
    metrics = measure_run.measure_run(unlearned, model_cache, tracker, prepared.listener, folder)
    resolved = prepared.resolved
    planned = resolved.method.images_processed(resolved.params, prepared.problem.sizes)
    return metrics.updated(RunMetrics(planned_images=planned))


def _timings(prepared: PreparedRun, forget_seconds: float, stack_size: int, *, device: str) -> TimingsResult:
    """Return the timings of a run that is not measured yet."""
    tracker, load, searched = prepared.tracker, prepared.load_seconds, prepared.search_seconds
    total = load + (searched or 0.0) + forget_seconds
    seconds = RunSeconds(total=total, load=load, forget=forget_seconds, evaluate=0.0, probes=0.0)
    timings = TimingsResult(
        phases=[PhaseTiming(**phase._asdict()) for phase in tracker.phases()],
        seconds=seconds if searched is None else seconds.model_copy(update={"search": searched}),
        steps=tracker.steps,
        images=tracker.images_seen,
        device=describe_device(device),
        threads=torch.get_num_threads(),
        versions={
            "unlearn-lab": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "source": source_digest()[:16],
        },
        started=prepared.started,
    )
    return timings if stack_size == 1 else timings.model_copy(update={"stack_size": stack_size})


def _make_recorder(resolved: ResolvedRun, model: torch.nn.Module) -> SnapshotRecorder:
    """Record the curve on validation images; a forget set of single images has none and is recorded itself."""
    class_activation.preload()
    counts = dict(MONITORED_IMAGES)
    if not len(resolved.split.forget_val):
        counts["forget_train"] += counts["forget_val"]
    sets = {name: evenly_spaced(getattr(resolved.split, name), count) for name, count in counts.items()}
    images, labels = resolved.data.images, resolved.data.image_dataset.labels
    is_points = resolved.data.card.is_points
    return SnapshotRecorder(model, images, labels, sets, resolved.card.roles, is_points=is_points)


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished its work, so that measured seconds are correct."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
