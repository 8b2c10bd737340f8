"""Reports of runs that are compared: which images each predicts as the retrained model does, and which correctly."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from tests.charts.fake_reports import made_up_report
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.course import TimingsResult

FORGET, RETAIN = 200, 400
"""The most images of the forget set and of the retain set, test."""
FIRST_RUN = 42


class RunPlan(NamedTuple):
    """What a run is to be: its outcomes are (FORGET,) and (RETAIN,) bool."""

    method: str
    seed: int
    agrees: np.ndarray
    correct: np.ndarray
    seconds: float
    classifier: str = "made-up-model"
    has_gold: bool = True


def compared_runs(plans: Sequence[RunPlan]) -> list[Report]:
    """One report per plan, all of the same request."""
    return [_report(number, plan) for number, plan in enumerate(plans, FIRST_RUN)]


@cache
def _model() -> Report:
    report = made_up_report()
    split = report.split._replace(
        forget_train=report.split.forget_train[:FORGET],
        forget_test=report.split.forget_test[:0],
        retain_test=report.split.retain_test[:RETAIN],
    )
    return replace(report, split=split)


def _report(number: int, plan: RunPlan) -> Report:
    """Gold predicts class 0 for every forget image; a run that does not agree predicts class 1."""
    model = _model()
    logits = model.evaluations["before"].logits.copy()
    forget = model.split.forget_train[: len(plan.agrees)]
    retain = model.split.retain_test[: len(plan.correct)]
    labels = model.labels[retain]
    after, gold = logits.copy(), logits.copy()
    gold[forget] = np.eye(10)[0]
    after[forget] = np.eye(10)[np.where(plan.agrees, 0, 1)]
    after[retain] = np.eye(10)[np.where(plan.correct, labels, (labels + 1) % 10)]
    found = {"before": logits, "after": after} | ({"gold": gold} if plan.has_gold else {})
    timings = model[TimingsResult]
    seconds = timings.seconds.model_copy(update={"forget": plan.seconds})
    request = model.spec.request.model_copy(update={"classifier": plan.classifier})
    report = replace(
        model,
        run=number,
        method=plan.method,
        classifier=model.classifier.model_copy(update={"id": plan.classifier}),
        spec=model.spec.model_copy(update={"request": request, "method": plan.method.lower(), "seed": plan.seed}),
        split=model.split._replace(forget_train=forget, retain_test=retain),
        evaluations={name: Evaluation(f"{name}-{plan.classifier}", "made-up", own) for name, own in found.items()},
    )
    return report.with_result(timings.model_copy(update={"seconds": seconds}))
