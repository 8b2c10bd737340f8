"""Runs whose report is open but not complete, as the engine leaves them in their folder while it measures."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.pages.finished_runs import CLASS, by_class
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore

ALL_PENDING = ("predictions", "confusion", "cam", "membership", "cka", "logits", "snapshots", "timings")


def begin(store: RunStore, pending: Sequence[str] = ALL_PENDING) -> Run:
    """A running run with the report of `CLASS`, of which these parts are pending."""
    number = store.execution.register_running(by_class(), title="Forget discs with UNSIR", device="cpu")
    write(store, number, pending)
    return store.get(number)


def write(store: RunStore, run: int, pending: Sequence[str]) -> None:
    """Write the report as it is when these parts are pending."""
    folder = artifacts.run_dir(store.data_dir, run)
    whole = reports.read(store.data_dir, CLASS)
    report = replace(
        whole, parts={name: part for name, part in whole.parts.items() if name not in pending}, pending=tuple(pending)
    )
    reports.write(_begun(report) if pending else report, folder)
    weights = artifacts.run_dir(store.data_dir, CLASS) / artifacts.WEIGHTS_FILE
    (folder / artifacts.WEIGHTS_FILE).write_bytes(weights.read_bytes())


def _begun(report: Report) -> Report:
    """The report with outputs on all but retained training images."""
    after, evaluated = report.evaluations["after"], np.ones(len(report.labels), bool)
    evaluated[report.split.retain_train] = False
    logits = np.where(evaluated[:, None], after.logits, np.float32(np.nan))
    # Its outputs are known under its own checksum.
    begun = after._replace(weights=after.weights[::-1], logits=logits, evaluated=evaluated)
    return replace(report, evaluations={**report.evaluations, "after": begun})
