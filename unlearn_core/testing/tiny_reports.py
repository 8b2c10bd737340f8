"""Reports of short real runs on the tiny classifier, for checks of charts."""

from dataclasses import replace
from pathlib import Path

from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.engine.execute import unlearn
from unlearn_core.testing.chart_contract import ChartReports
from unlearn_core.testing.tiny_problem import CLASSIFIER, DATASET, tiny_spec


def example_reports(folder: Path, *, method: str = "finetune") -> ChartReports:
    """Run a method four times, in some seconds, and return the reports with all measurements that are installed.

    The folder must be empty; the reports are stored there.
    """
    specs = {
        "with_gold": _forgetting(method, 1),
        "other": _forgetting(method, 2),
        "without_gold": _forgetting(method, 0, 1),  # No retrained model of these two classes is bundled.
        "of_images": tiny_spec(method, kind="images"),
    }
    return ChartReports(
        **{name: _report(spec, folder / name, run) for run, (name, spec) in enumerate(specs.items(), 1)}
    )


def _forgetting(method: str, *classes: int) -> UnlearnSpec:
    request = ForgetRequest(classifier=CLASSIFIER, dataset=DATASET, forget=ForgetClasses(classes=classes))
    return tiny_spec(method).model_copy(update={"request": request})


def _report(spec: UnlearnSpec, folder: Path, run: int) -> Report:
    return replace(unlearn(spec, device="cpu", out=folder).report, run=run)
