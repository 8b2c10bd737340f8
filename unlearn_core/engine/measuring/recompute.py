"""Measures a report again from the stored outputs of its models alone, without images or models."""

from collections.abc import Collection
from dataclasses import replace

import torch

from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.probes import (
    accuracy,
    closeness,
    confusion,
    distance,
    logits,
    membership,
    predictions,
    retained_membership,
    rmia,
    summary_scores,
)
from unlearn_core.probes.common.context import ProbeContext

_BY_OUTPUTS = (
    accuracy,
    closeness,
    confusion,
    distance,
    logits,
    membership,
    predictions,
    retained_membership,
    rmia,
    summary_scores,
)
"""The measurements that need nothing but logits, labels and split."""


def measure_outputs(report: Report, *, only: Collection[str]) -> Report:
    """Return the report with the measurements in `only` made anew, as far as they need outputs alone."""
    forget = report.spec.request.forget
    context = ProbeContext(
        spec=report.spec,
        classifier=report.classifier,
        dataset=report.dataset,
        images=torch.empty((0, 0, 0, 3), dtype=torch.uint8),
        labels=report.labels,
        split=report.split,
        evaluations=report.evaluations,
        models={},
        forgotten_classes=forget.classes if isinstance(forget, ForgetClasses) else (),
        further_golds=report.get(FurtherGolds),
    )
    parts: dict[str, ReportPart] = dict(report.parts)
    missing = dict(report.missing)
    for module in _BY_OUTPUTS:
        if module.PROBE.id not in only:
            continue
        result = module.measure(context)
        if isinstance(result, str):
            missing[module.PROBE.id] = result
        else:
            parts |= stored(result)
    return replace(report, parts=parts, missing=missing)
