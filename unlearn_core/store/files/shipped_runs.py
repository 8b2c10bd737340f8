"""The finished runs and the sweep that ship with the lab: read-only, with negative numbers, in no data folder.

A run is one zip: its report, with the outputs of the unlearned model on the forget set and on unseen images. The
outputs of the other models ship with their classifier and are read there. `shipped.json` lists the runs as the history
has them, and the sweep with its trials, whose reports do not ship.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import CorruptAssetError, NotFoundError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.logit_statistics import logits_result
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.domain.run import Run, RunState
from unlearn_core.domain.split import make_split
from unlearn_core.domain.sweeps.sweep import Sweep, Trial
from unlearn_core.installation import ASSETS, HOW_TO_RESTORE
from unlearn_core.models.further_golds import bundled_outputs
from unlearn_core.store.files import reports
from unlearn_core.store.files.evaluations import EvaluationStore

SHIPPED_DIR = ASSETS / "shipped"
INDEX_FILE = "shipped.json"
SWEEP_NUMBER = -1
"""The number of the sweep, as in links to it."""
EXAMPLE = "example"
"""The name of the run on the start page, which ships as a folder: assets/example."""


class ShippedRun(NamedTuple):
    """One run: its name, as lessons use it, and its row in the history, whose number is negative."""

    name: str
    run: Run


def shipped_runs() -> Sequence[ShippedRun]:
    """Return all shipped runs. Raises CorruptAssetError if their list is damaged."""
    return _index()[0]


def shipped_run(number: int) -> Run:
    """Return the row of a shipped run. Raises NotFoundError."""
    for one in shipped_runs():
        if one.run.id == number:
            return one.run
    raise NotFoundError("shipped run", number, [])


def named(name: str) -> Run:
    """Return the row of the shipped run with this name. Raises NotFoundError, which lists the names."""
    for one in shipped_runs():
        if one.name == name:
            return one.run
    raise NotFoundError("shipped run", name, [one.name for one in shipped_runs()])


def shipped_sweep() -> Sweep:
    """Return the shipped sweep, whose number is negative. Raises CorruptAssetError."""
    return _index()[1]


def shipped_trials() -> list[Trial]:
    """Return the trials of the shipped sweep, in order; they have no runs."""
    return list(_index()[2])


def read_report(number: int) -> Report:
    """Return the report of a shipped run. Raises NotFoundError or CorruptAssetError."""
    name = next((one.name for one in shipped_runs() if one.run.id == number), None)
    if name is None:
        raise NotFoundError("shipped run", number, [])
    if name == EXAMPLE:
        return replace(reports.load_example(), run=number)
    path = SHIPPED_DIR / f"{name}.zip"
    try:
        with ZipFile(path) as file:
            return _read(file, number)
    except (OSError, ValueError, KeyError, BadZipFile) as problem:
        raise _damaged(path, problem) from None


@lru_cache(maxsize=1)
def _index() -> tuple[tuple[ShippedRun, ...], Sweep, tuple[Trial, ...]]:
    path = SHIPPED_DIR / INDEX_FILE
    try:
        facts = json.loads(path.read_text())
        runs = tuple(ShippedRun(name, Run.model_validate(row)) for name, row in facts["runs"].items())
        sweep = Sweep.model_validate(facts["sweep"])
        return runs, sweep, tuple(_trial(number, own) for number, own in enumerate(facts["trials"]))
    except (OSError, ValueError, KeyError) as problem:
        raise _damaged(path, problem) from None


def _damaged(path: Path, problem: Exception) -> CorruptAssetError:
    return CorruptAssetError(f"{path} is damaged ({type(problem).__name__}). Restore it: {HOW_TO_RESTORE}.")


def _trial(number: int, facts: dict[str, Any]) -> Trial:
    return Trial(
        number=number,
        run=None,
        params=facts["params"],
        attributes=facts["attributes"],
        stopped=None,
        state=RunState.DONE,
        error=None,
        metrics=RunMetrics.model_validate(facts["metrics"]),
        started=facts["started"],
        finished=facts["finished"],
    )


def _read(file: ZipFile, number: int) -> Report:
    head = json.loads(file.read("report.json"))
    spec, dataset = UnlearnSpec.model_validate(head["spec"]), DatasetCard.model_validate(head["dataset"])
    outputs = _arrays(file, "outputs")
    labels, rows = outputs["labels"].astype(np.int64), outputs["rows"]
    logits = np.full((len(labels), len(dataset.classes)), np.nan, np.float32)
    logits[rows] = outputs["logits"]
    evaluated = np.zeros(len(labels), bool)
    evaluated[rows] = True
    after = Evaluation(head["evaluations"]["after"], dataset.id, logits, evaluated)
    store = EvaluationStore(SHIPPED_DIR)
    others = {
        model: found
        for model, weights in head["evaluations"].items()
        if model != "after" and (found := store.get(weights, dataset.id, spec.request.classifier)) is not None
    }
    evaluations = {model: after if model == "after" else others[model] for model in head["evaluations"]}
    report = Report(
        run=number,
        spec=spec,
        classifier=ClassifierCard.model_validate(head["classifier"]),
        dataset=dataset,
        method=head["method"],
        labels=labels,
        split=make_split(dataset, labels, spec.request.forget),
        evaluations=evaluations,
        parts={name: _part(file, name, facts) for name, facts in head["parts"].items()},
        missing=head["missing"],
    )
    golds = bundled_outputs(spec.request)
    report = report if golds is None else report.with_result(golds)
    return report.with_result(logits_result({model: one.logits for model, one in evaluations.items()}, labels))


def _part(file: ZipFile, name: str, facts: dict[str, Any]) -> ReportPart:
    return ReportPart(facts, _arrays(file, name) if f"{name}.npz" in file.namelist() else {})


def _arrays(file: ZipFile, name: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(file.read(f"{name}.npz")), allow_pickle=False) as arrays:
        return dict(arrays)
