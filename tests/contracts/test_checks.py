"""Each check of `unlearn_core.testing` can fail, and somebody else's plug-ins can be checked from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from pydantic import Field

from tests.charts.fake_reports import made_up_report
from unlearn_core import testing
from unlearn_core.charts.chart import Chart
from unlearn_core.charts.report import accuracy as accuracy_chart
from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.method import DataAccess, Method
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import ArrayByKey, Result, Stored
from unlearn_core.installation import ROOT
from unlearn_core.methods.finetune import METHOD
from unlearn_core.probes import accuracy
from unlearn_core.testing import chart_contract, measurement_contract, method_contract
from unlearn_core.training.problem import Problem

REPORTS = testing.ChartReports(
    with_gold=made_up_report(),
    other=made_up_report(seed=1),
    without_gold=made_up_report(gold=False),
    of_images=made_up_report(images=True),
)
CHART, PROBE = accuracy_chart.CHART, accuracy.PROBE


def test_what_is_right_passes() -> None:
    testing.check_method(METHOD)
    testing.check_measurement(PROBE)
    testing.check_chart(CHART, REPORTS)


def test_only_what_is_there_can_be_imported() -> None:
    assert all(callable(getattr(testing, name)) for name in testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'check_dataset'"):
        testing.check_dataset  # type: ignore[attr-defined]  # noqa: B018


class Unexplained(BaseHyperparameters):
    lr: float = hyperparameter(5.0, low=0, high=1, title="Rate", explain="Out of its range.")


def changed(after: Callable[[Problem], Any], before: Callable[[Problem], Any] = lambda problem: None) -> Any:
    """Fine-tuning that does something more."""

    def forget(problem: Problem, params: Any, tracker: Any) -> None:
        before(problem)
        METHOD.forget(problem, params, tracker)
        after(problem)

    return forget


def noise(model: torch.nn.Module) -> None:
    with torch.no_grad():
        next(model.parameters()).add_(torch.rand(()))


def deaf(problem: Problem, params: Any, tracker: Any) -> None:
    try:
        METHOD.forget(problem, params, tracker)
    except CancelledError:
        return


def unannounced(problem: Problem, params: Any, tracker: Any) -> None:
    METHOD.forget(problem, params, tracker)
    for _ in tracker.iterate([problem.retain.images[:1], problem.retain.images[:1]]):
        pass


WRONG_METHODS: list[tuple[Callable[[Method], None], dict[str, Any]]] = [
    (method_contract.check_card, {"id": "unknown"}),
    (method_contract.check_card, {"failure_modes": ""}),
    (method_contract.check_card, {"supports": frozenset({"layers"})}),
    (method_contract.check_hyperparameters, {"params": Unexplained}),
    (method_contract.check_runs_are_reproducible, {"forget": lambda problem, params, tracker: None}),
    (method_contract.check_runs_are_reproducible, {"forget": changed(lambda problem: noise(problem.model))}),
    (method_contract.check_runs_are_reproducible, {"forget": changed(lambda problem: noise(problem.original_model))}),
    (method_contract.check_runs_are_reproducible, {"forget": unannounced}),
    (method_contract.check_runs_are_reproducible, {"images_processed": lambda params, sizes: 1}),
    (method_contract.check_cancelling, {"forget": deaf}),
    (method_contract.check_needs, {"needs": lambda params: DataAccess(forget=True, retain=True)}),
    (method_contract.check_needs, {"needs": lambda params: DataAccess(forget=False, retain=False)}),
    (method_contract.check_stacked_trials, {"forget_stacked": lambda problems, params, trackers: [None, None]}),
    (method_contract.check_stacked_trials, {"stackable_params": frozenset({"epochs"})}),
]


@pytest.mark.parametrize(("check", "change"), WRONG_METHODS)
def test_a_wrong_method_fails(check: Callable[[Method], None], change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check(replace(METHOD, **change))


def test_a_spec_that_json_cannot_hold_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = method_contract.tiny_spec
    endless = {"params": {"lr": float("inf")}}
    monkeypatch.setattr(
        method_contract, "tiny_spec", lambda *names, **more: usual("finetune").model_copy(update=endless)
    )
    with pytest.raises(AssertionError):
        method_contract.check_spec_is_stored(METHOD)


class Anything(Result, part="accuracy", root="values"):
    """A result of numbers and arrays."""

    values: dict[str, float]
    arrays: Annotated[ArrayByKey, Stored("{}")] = Field(default_factory=dict)


class Misnamed(Result, part="precision"):
    """A result that is not stored under the name of its measurement."""

    share: float


def gives(values: dict[str, float], **arrays: np.ndarray) -> Any:
    return lambda context: Anything(values=values, arrays=arrays)


def once_more(context: Any, numbers: list[int] = []) -> Anything:  # noqa: B006 (it is meant to remember)
    numbers.append(1)
    return Anything(values={"calls": len(numbers)})


def in_training(context: Any) -> Anything:
    """Leaves a copy of the context's model in training mode, which the check finds."""
    context.models["before"].train()
    return Anything(values={"x": 1})


WRONG_PROBES: list[tuple[Callable[[Probe], None], dict[str, Any]]] = [
    (measurement_contract.check_card, {"id": "unknown"}),
    (measurement_contract.check_card, {"question": "How accurate it is."}),
    (measurement_contract.check_result_is_stored, {"measure": lambda context: "No."[:-1]}),
    (measurement_contract.check_result_is_stored, {"measure": lambda context: "There is none, ever."}),
    (measurement_contract.check_result_is_stored, {"measure": gives({}, x=np.zeros(3))}),
    (measurement_contract.check_result_is_stored, {"measure": gives({}, x=np.full(3, np.nan, np.float32))}),
    (measurement_contract.check_result_is_stored, {"measure": gives({})}),
    (measurement_contract.check_result_is_stored, {"measure": gives({"x": float("inf")})}),
    (measurement_contract.check_result_is_stored, {"measure": lambda context: Misnamed(share=0.5)}),
    (measurement_contract.check_gold, {"measure": gives({"gold": 1})}),
    (measurement_contract.check_models_are_unchanged, {"measure": once_more}),
    (measurement_contract.check_models_are_unchanged, {"measure": in_training}),
]


@pytest.mark.parametrize(("check", "change"), WRONG_PROBES)
def test_a_wrong_measurement_fails(check: Callable[[Probe], None], change: dict[str, Any]) -> None:
    try:
        with pytest.raises(AssertionError):
            check(replace(PROBE, **change))
    finally:
        for model in measurement_contract._context("a class").models.values():
            model.eval()


def drawn(change: Callable[[go.Figure], Any]) -> Any:
    """The chart's figure with a change."""

    def figure(reports: Any, theme: Any) -> go.Figure:
        made = CHART.figure(reports, theme)
        change(made)
        return made

    return figure


WRONG_CHARTS: list[tuple[Callable[[chart_contract.CheckedChart], None], dict[str, Any]]] = [
    (chart_contract.check_card, {"title": "It ends with a stop."}),
    (chart_contract.check_card, {"question": "No question."}),
    (chart_contract.check_card, {"former_variants": {"former": "unknown"}}),
    (chart_contract.check_table, {"table": lambda reports: CHART.table(reports).drop(columns="run")}),
    (chart_contract.check_table, {"table": lambda reports: CHART.table(reports[:1])}),
    (chart_contract.check_figure, {"figure": drawn(lambda made: made.update_layout(template="plotly"))}),
    (chart_contract.check_figure, {"figure": drawn(lambda made: made.update_layout(height=None))}),
    (
        chart_contract.check_figure_is_reproducible,
        {"figure": drawn(lambda made: made.update_layout(title=str(np.random.default_rng().random())))},
    ),
    (chart_contract.check_font_sizes, {"figure": drawn(lambda made: made.update_layout(font={"size": 8}))}),
    (
        chart_contract.check_gridlines,
        {"figure": drawn(lambda made: made.update_xaxes(showgrid=True).update_yaxes(showgrid=True))},
    ),
    (
        chart_contract.check_colors,
        {"figure": drawn(lambda made: made.add_scatter(x=[1], y=[1], marker={"color": "#123456"}))},
    ),
    (
        chart_contract.check_colors,
        {"figure": drawn(lambda made: made.add_scatter(x=[1], y=[1], marker={"color": "red"}))},
    ),
    (
        chart_contract.check_log_axes,
        {"figure": drawn(lambda made: made.add_scatter(x=[0], y=[1]).update_xaxes(type="log"))},
    ),
    (chart_contract.check_summary_and_alt_text, {"summary": lambda report: "There are no numbers."}),
    (chart_contract.check_summary_and_alt_text, {"summary": CHART.alt_text}),
    (chart_contract.check_words_follow_the_numbers, {"summary": lambda report: "It is always 1."}),
    (chart_contract.check_applies, {"applies": lambda report: True}),
    (chart_contract.check_applies, {"applies": lambda report: "Never."}),
    (chart_contract.check_without_gold, {"summary": lambda report: "The retrained model has 1."}),
    (chart_contract.check_without_gold, {"applies": lambda report: "gold" in report.evaluations or "No reason."}),
    (
        chart_contract.check_without_gold,
        {"figure": drawn(lambda made: made.add_scatter(x=[1], y=[1], name="retrained"))},
    ),
    (chart_contract.check_needs_one_part, {"applies": lambda report: len(report.parts) > 1 or "Too few."}),
    (chart_contract.check_needs_one_part, {"summary": lambda report: f"It has {len(report.parts)} parts."}),
]


@pytest.mark.parametrize(("check", "change"), WRONG_CHARTS)
def test_a_wrong_chart_fails(check: Callable[[chart_contract.CheckedChart], None], change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check(chart_contract.CheckedChart(replace(CHART, **change), REPORTS))


def test_a_chart_that_is_not_found_fails_with_the_reason() -> None:
    stranger: Chart = replace(CHART, id="stranger")
    with pytest.raises(AssertionError, match="stranger is not found: its file must be in a folder"):
        testing.check_chart(stranger, REPORTS)


FILES = {
    "methods/gentle.py": '''"""A gentle method: fine-tune with a small learning rate."""

from dataclasses import replace

from unlearn_core.methods import finetune

METHOD = replace(finetune.METHOD, id="gentle", title="Gentle", presets={"bundled": finetune.METHOD.presets["gentle"]})
''',
    "probes/brightness.py": '''"""How bright the images are."""

from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.result import Result


class Brightness(Result, part="brightness"):
    mean: float


PROBE = Probe(
    id="brightness",
    title="Brightness",
    question="How bright are the images?",
    caveat="It says nothing about the models.",
    measure=lambda context: Brightness(mean=float(context.images.float().mean())),
)
''',
    "charts/report/sets.py": '''"""The accuracy once more, under another title."""

from dataclasses import replace

from unlearn_core.charts.report import accuracy

CHART = replace(accuracy.CHART, id="sets", title="Accuracy on each set", order=99)
''',
}
CHECK = """
import sys
from pathlib import Path
from somebody.charts.report.sets import CHART
from somebody.methods.gentle import METHOD
from somebody.probes.brightness import PROBE
from unlearn_core.testing import check_chart, check_measurement, check_method, example_reports

check_method(METHOD)
check_measurement(PROBE)
reports = example_reports(Path(sys.argv[1]), method="gentle")
check_chart(CHART, reports)
print(reports.with_gold.method, reports.with_gold.parts["brightness"].facts)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_somebody_elses_plug_ins_are_checked_outside_of_our_tests(tmp_path: Path) -> None:
    """Nothing of the tests is needed: neither their environment nor their modules."""
    for name, text in FILES.items():
        file = tmp_path / "lib" / "somebody" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        for folder in (file.parent, *file.parent.parents):
            if folder.is_relative_to(tmp_path / "lib" / "somebody"):
                (folder / "__init__.py").touch()
        file.write_text(text)
    paths = [str(tmp_path / "lib"), str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(tmp_path / "reports")],
        cwd=tmp_path,
        env=os.environ | {"UNLEARN_PLUGINS": "somebody", "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Gentle {'mean': ")
    assert json.loads((tmp_path / "reports" / "with_gold" / "report.json").read_text())["method"] == "Gentle"
