"""Many runs as one tidy table, a row a run; docs/runs.md describes its columns."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.run import Run
from unlearn_core.domain.split import SET_LABELS
from unlearn_core.domain.sweeps.sweep import sweep_id
from unlearn_core.export.safe_csv import to_csv
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.image_lists import format_ranges
from unlearn_core.store.queue.run_store import RunStore

WHOLE, NUMBER, TEXT, TIME = "Int64", "Float64", "string", "datetime64[us, UTC]"

BEFORE_HYPERPARAMETERS = {
    "id": WHOLE,
    **dict.fromkeys(("title", "owner", "state"), TEXT),
    **dict.fromkeys(("created", "started", "finished"), TIME),
    **dict.fromkeys(("classifier", "dataset", "method"), TEXT),
    **dict.fromkeys(("revision", "seed", "start", "sweep"), WHOLE),
    **dict.fromkeys(("request", "forget_classes", "forget_images"), TEXT),
}
AFTER_HYPERPARAMETERS = {
    **{
        f"accuracy_{model}_{name}{bound}": NUMBER
        for model in MODELS
        for name in SET_LABELS
        for bound in ("", "_low", "_high")
    },
    **dict.fromkeys(("verdict_forget", "verdict_retain"), TEXT),
    **{f"distance_{split}_{model}": NUMBER for split in ("test", "val") for model in ("before", "after")},
    **dict.fromkeys(("privacy_test", "privacy_val"), NUMBER),
    **{f"seconds_{stage}": NUMBER for stage in ("total", "load", "forget", "evaluate", "probes")},
    **dict.fromkeys(("device", "version", "torch", "weights", "note", "error"), TEXT),
}
"""The columns with their types in pandas. Those of the hyperparameters, hp_NAME, stand between the two groups."""


def recorded_runs(data_dir: Path | None = None) -> pd.DataFrame:
    """Return the table of all unlearning runs of the data folder, the newest first. Raises StoreError."""
    return runs_table(RunStore(data_dir or open_data_dir()).list_runs(kinds=("unlearn",), limit=None))


def runs_csv(runs: Sequence[Run]) -> str:
    """Return the table as CSV: times in ISO 8601, and what is unknown empty."""
    return to_csv(runs_table(runs))


def runs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a table of the unlearning runs among these, in their order; what is unknown is NA.

    Accuracies and privacy scores go from 0 to 1, distances are in bits, times are UTC.
    """
    cards = datasets.cards()
    rows = [
        dict(_identity(run, run.spec)) | _forget_set(run.spec.request, cards) | _values(run) | dict(_results(run))
        for run in runs
        if isinstance(run.spec, UnlearnSpec)
    ]
    names = sorted({name for row in rows for name in row if name.startswith("hp_")})
    hyperparameters = {name: _type([row[name] for row in rows if name in row]) for name in names}
    types = BEFORE_HYPERPARAMETERS | hyperparameters | AFTER_HYPERPARAMETERS
    return pd.DataFrame({name: pd.array([row.get(name) for row in rows], dtype=dtype) for name, dtype in types.items()})


def _identity(run: Run, spec: UnlearnSpec) -> Iterator[tuple[str, Any]]:
    """What was run, by whom and when."""
    for name in ("id", "title", "owner", "state", "created", "started", "finished", "device", "note", "error"):
        yield name, getattr(run, name)
    yield from (("classifier", spec.request.classifier), ("dataset", spec.request.dataset), ("method", spec.method))
    yield from (("seed", spec.seed), ("start", spec.start), ("sweep", sweep_id(run.group)))


def _forget_set(request: ForgetRequest, cards: Mapping[str, DatasetCard]) -> dict[str, str]:
    """The names of the forgotten classes (their numbers if the data set is gone), or the numbers of the images."""
    forget = request.forget
    if forget.kind == "images":
        return {"request": forget.kind, "forget_images": format_ranges(forget.images)}
    card = cards.get(request.dataset)
    names = [str(index) if card is None else card.classes[index] for index in forget.classes]
    return {"request": forget.kind, "forget_classes": ";".join(names)}


def _values(run: Run) -> dict[str, Any]:
    """The values of the hyperparameters."""
    return {f"hp_{name}": value for name, value in run.params.items()}


def _results(run: Run) -> Iterator[tuple[str, Any]]:
    """The results of a run, as far as its release recorded them."""
    metrics = run.metrics
    for model in MODELS:
        bounds = metrics.intervals.get(model, {})
        for name, accuracy in metrics.accuracy.get(model, {}).items():
            low, high = bounds.get(name, (None, None))
            column = f"accuracy_{model}_{name}"
            yield from ((column, accuracy), (f"{column}_low", low), (f"{column}_high", high))
    if metrics.verdict is not None:
        yield from (("verdict_forget", metrics.verdict.forget), ("verdict_retain", metrics.verdict.retain))
    for split, distance in (metrics.distance or {}).items():
        yield from ((f"distance_{split}_before", distance.before), (f"distance_{split}_after", distance.after))
    yield from (("privacy_test", metrics.privacy), ("privacy_val", metrics.privacy_val))
    if metrics.seconds is not None:
        yield from ((f"seconds_{stage}", spent) for stage, spent in metrics.seconds)
    yield from ((name, getattr(metrics, name)) for name in ("revision", "version", "torch", "weights"))


def _type(values: Sequence[Any]) -> str:
    """The type of a hyperparameter's column, which runs of several methods can share."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return WHOLE if kinds == {int} else NUMBER
    return "boolean" if kinds == {bool} else TEXT
