"""Imports a data set as a run: it reports progress and can be cancelled."""

import time
from pathlib import Path

from unlearn_core.data import datasets, sources
from unlearn_core.data.ingest.prepare import ImportedDataset, prepare
from unlearn_core.data.ingest.source import ImportContext
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.run import Phase, Progress
from unlearn_core.engine.job import Job
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.record_run import record_run
from unlearn_core.settings import settings
from unlearn_core.store.queue.run_store import RunStore


def import_dataset(
    spec: ImportDatasetSpec, data_dir: Path, listener: RunListener, *, root: Path | None = None
) -> RunMetrics:
    """Prepare the data set of a spec in the data folder `data_dir`; return the run's summary metrics.

    `root` is a folder to read from instead of the one that UNLEARN_DATA_ROOT names. Raises InvalidDatasetError if it
    cannot be done, and CancelledError on the listener's request; nothing is left behind then.
    """
    began = time.perf_counter()
    if spec.dataset in datasets.bundled():
        raise InvalidDatasetError(f"{spec.dataset} is the name of a bundled data set: choose another name.")
    context = ImportContext(root or sources.data_root(), data_dir, _ImportProgress(listener))
    imported: ImportedDataset = prepare(spec, sources.source(spec.source), context, settings())
    card = imported.card
    return RunMetrics(
        dataset=card.id,
        num_images=card.train + card.val + card.test,
        num_classes=len(card.classes),
        num_skipped=imported.num_skipped,
        skipped=imported.skipped,
        note=" ".join(imported.notes),
        seconds=JobSeconds(total=time.perf_counter() - began),
    )


def import_locally(
    spec: ImportDatasetSpec, data_dir: Path, listener: RunListener, *, root: Path | None = None
) -> RunMetrics:
    """Do the same in this process as a run of the history: for the command line and notebooks."""
    _, metrics = record_run(
        RunStore(data_dir),
        spec,
        title=f"Prepare {spec.title}",
        device="cpu",
        work=lambda run: import_dataset(spec, data_dir, listener, root=root),
    )
    return metrics


class _ImportProgress:
    """Turns the progress of an import into the progress of a run: one phase per kind of work."""

    def __init__(self, listener: RunListener) -> None:
        self._listener = listener
        self._phases: dict[str, Phase] = {}
        self._began = time.perf_counter()

    def __call__(self, phase: str, done: int, total: int) -> None:
        self._listener.check()
        if phase not in self._phases:
            self._began = time.perf_counter()
        seconds = time.perf_counter() - self._began
        self._phases[phase] = Phase(phase, total, done, seconds)
        rate = done / seconds if phase in ("decode", "write") and done and seconds > 0 else None
        self._listener.progress(Progress(tuple(self._phases.values()), phase, rate))


JOB = Job(
    spec=ImportDatasetSpec,
    execute=lambda spec, context: import_dataset(spec, context.model_cache.data_dir, context.listener),
)
