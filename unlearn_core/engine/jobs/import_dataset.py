"""Preparing a data set, as a run: its progress is told, and it ends when nobody wants it any more."""

import time
from pathlib import Path
from typing import Any

from unlearn_core.data import datasets, sources
from unlearn_core.data.ingest.prepare import Prepared, prepare
from unlearn_core.data.ingest.source import Place
from unlearn_core.data.ingest.upload_limits import limits
from unlearn_core.domain.errors import BadPictures
from unlearn_core.domain.jobs import ImportSpec
from unlearn_core.domain.run import Phase, Progress
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.record_run import in_history
from unlearn_core.store.queue.run_store import RunStore


def bring_in(spec: ImportSpec, home: Path, listener: Listener, *, root: Path | None = None) -> dict[str, Any]:
    """Prepares the data set that a spec asks for, in the data folder `home`; gives what it came to.

    `root` is a folder to look in instead of the one that UNLEARN_DATA_ROOT names. Raises BadPictures where it cannot
    be done and Cancelled where the listener says so; then nothing of it is left.
    """
    began = time.perf_counter()
    if spec.dataset in datasets.shipped():
        raise BadPictures(f"{spec.dataset} is the name of a data set that ships with the lab: choose another.")
    place = Place(root or sources.data_root(), home, _Teller(listener))
    made: Prepared = prepare(spec, sources.source(spec.source), place, limits())
    card = made.card
    return {
        "dataset": card.id,
        "pictures": card.train + card.val + card.test,
        "classes": len(card.classes),
        "left": made.left,
        "named": made.named,
        "seconds": {"total": time.perf_counter() - began},
    }


def add(spec: ImportSpec, home: Path, listener: Listener, *, root: Path | None = None) -> dict[str, Any]:
    """Does the same in this process, as a run that joins the history: for the command line and notebooks."""
    _, headline = in_history(
        RunStore(home),
        spec,
        title=f"Prepare {spec.title}",
        device="cpu",
        work=lambda run: bring_in(spec, home, listener, root=root),
    )
    return headline


class _Teller:
    """Makes a run's progress of what the intake tells: a phase for each kind of work."""

    def __init__(self, listener: Listener) -> None:
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
