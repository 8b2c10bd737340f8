"""Measures corrective unlearning: every method forgets all wrong labels of a classifier, and half of them.

Each runs once with its first preset for the classifier, beside the retrained model that ships. The methods of Goel et
al., Corrective Machine Unlearning, arXiv 2402.14015, come first.
"""

import tempfile
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unlearn_core.benchmarks.csv_tables import RESULTS_DIR, MeasuredRow, pending
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import corrective_requests
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.domain.verdicts.report_verdicts import correct_predictions, correction_verdict
from unlearn_core.engine.build_spec import request_spec
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.tuning import early_stop, find_settings
from unlearn_core.methods import methods
from unlearn_core.models import classifiers
from unlearn_core.probes import probes

TABLE = RESULTS_DIR / "corrective.csv"
CLASSIFIER, SEED = "resnet8-mislabelled", 0
FIRST = ("finetune", "scrub", "bad_teacher", "ssd")
SHARES = ("accuracy", "confused", "memorized", "others")
COLUMNS = (
    *("key", "method", "known", "images", *(f"{share}_{model}" for share in SHARES for model in MODELS)),
    *("to_original", "to_retrained", "can_come_back", "device"),
)
"""`known` is "all" or "half"; shares are fractions. `others` is the accuracy on test images of the classes with right
labels. The relations are those of `correction_verdict`."""


class CorrectiveCase(NamedTuple):
    """One run: its method, which of the wrong labels it forgets, and its spec."""

    method: str
    known: str
    spec: UnlearnSpec


@cache
def cases() -> dict[str, CorrectiveCase]:
    """Return every run by the key of its row."""
    card, found = classifiers.card(CLASSIFIER), dict[str, CorrectiveCase]()
    forgets = corrective_requests(datasets.load(card.dataset).mislabelled).values()
    able = [name for name, method in methods().items() if "images" in method.supports and name != "retrain"]
    for name in sorted(able, key=lambda name: (name not in FIRST, FIRST.index(name) if name in FIRST else 0, name)):
        for known, forget in zip(("all", "half"), forgets, strict=True):
            request = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)
            spec = request_spec(request, methods()[name], seed=SEED)
            found[cache_key(spec)] = CorrectiveCase(name, known, spec)
    return found


def cache_key(spec: UnlearnSpec) -> str:
    """Return the hash of everything that a row depends on; a change makes it outdated."""
    search = {"search": find_settings.REVISION} if spec.auto else {}
    search |= {"early_stop": early_stop.REVISION} if spec.params.get("early_stop") else {}
    return row_key(spec, {"interclass_confusion": probes()["interclass_confusion"].revision}, **search)


def measure_missing(known: Container[str], *, seconds: float, device: str, data_dir: Path) -> Iterator[MeasuredRow]:
    """Yield the rows whose keys are not known, one after another, and start none after so many seconds."""
    for key, case in pending(cases(), known, seconds=seconds):
        with tempfile.TemporaryDirectory(dir=data_dir) as folder:
            report = unlearn(case.spec, device=device, data_dir=data_dir, out=Path(folder) / "report").report
        yield {
            "key": key,
            "method": case.method,
            "known": case.known,
            **figures(report),
            "device": describe_device(device),
        }


def figures(report: Report) -> MeasuredRow:
    """Return what a row says of a report with a retrained model."""
    result, rows = report[InterclassConfusionResult], report.split.retain_test
    verdict, others = correction_verdict(result), rows[~np.isin(report.labels[rows], result.classes)]
    found: MeasuredRow = {"images": result.num_forgotten}
    for model in MODELS:
        found[f"accuracy_{model}"] = round(result.accuracy[model].accuracy, 5)
        found[f"confused_{model}"] = round(result.confused[model].accuracy, 5)
        found[f"memorized_{model}"] = round(result.memorized[model].accuracy, 5)
        found[f"others_{model}"] = round(float(correct_predictions(report, model, others).mean()), 5)
    return found | {
        "to_original": verdict.original_relation,
        "to_retrained": verdict.retrained_relation or "",
        "can_come_back": int(verdict.can_come_back),
    }
