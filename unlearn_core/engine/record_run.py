"""Records a job that this process executes itself as a run of the history: for the command line and notebooks."""

import os
from collections.abc import Callable

import torch

from unlearn_core.domain.errors import CancelledError, UnlearnError
from unlearn_core.domain.jobs import AnySpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import TIMED_KINDS
from unlearn_core.store.code_version import running_code
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.cpu_load import LoadMeter
from unlearn_core.store.queue.run_store import RunStore


def record_run(
    store: RunStore,
    spec: AnySpec,
    *,
    title: str,
    device: str,
    work: Callable[[int], RunMetrics],
    group: str | None = None,
) -> tuple[int, RunMetrics]:
    """Call `work` with the run's number and record how it ended; return the number and the summary metrics.

    Any exception is raised again, and the run is recorded as cancelled, or as failed with the reason.
    """
    run, meter = store.execution.register_running(spec, title=title, device=device, group=group), LoadMeter()
    meter.sample([os.getpid()])
    try:
        metrics = work(run)
    except (CancelledError, KeyboardInterrupt):
        store.execution.mark_cancelled(run, 1)
        raise
    except UnlearnError as problem:
        store.execution.fail(run, 1, str(problem))
        raise
    except BaseException as problem:
        settings = spec.model_dump_json(indent=1)
        reason = error_report.foreseen_reason(problem, store.data_dir)
        store.execution.fail(
            run, 1, reason or error_report.record(problem, store.data_dir, task=title, request=settings).sentence
        )
        raise
    meter.sample([os.getpid()])
    if spec.kind in TIMED_KINDS:
        metrics = metrics.updated(RunMetrics(load=meter.used(), threads=torch.get_num_threads(), code=running_code()))
    store.execution.finish(run, 1, metrics=metrics)
    return run, metrics
