"""Nothing is registered: new files reach the pages, the report file, the command line and docs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import made_again
from tests.pages.page_asserts import fine, words
from unlearn_core import plugins
from unlearn_core.__main__ import main
from unlearn_core.benchmarks import make_docs
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.export.html_report import render_report
from unlearn_core.methods import methods
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

METHOD = '''"""Shrink: multiplies the head's weights."""

from unlearn_core.domain.method import DataAccess, Method, Preset, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter


class Hyperparameters(BaseHyperparameters):
    factor: float = hyperparameter(0.5, low=0.1, high=1.0, title="Factor", explain="Multiplies the weights.")


def forget(problem, params, tracker) -> None:
    tracker.plan(shrink=1)
    tracker.phase("shrink")
    for _ in tracker.iterate([0]):
        for weight in problem.model.parameters():
            weight.data.mul_(params.factor)


METHOD = Method(
    id="shrink",
    title="Shrink all weights",
    group="Edit weights",
    summary="multiply the weights",
    idea="Multiplies all weights by a factor.",
    failure_modes="It damages everything.",
    paper=Reference("No paper", "https://example.org"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={"bundled": Preset("Bundled", "Half.", Hyperparameters())},
    needs=lambda params: DataAccess(forget=False, retain=False),
    images_processed=lambda params, sizes: 0,
    forget=forget,
)
'''

PROBE = '''"""Brightness: the mean logit of each model.

A made-up measurement.
"""

from somebodys_lab.results import BrightnessResult
from unlearn_core.domain.results.measurement import Probe


def measure(context):
    return BrightnessResult(mean={name: float(own.logits.mean()) for name, own in context.evaluations.items()})


PROBE = Probe(
    id="brightness", title="Mean logit", question="How large is it?", caveat="It means nothing.", measure=measure
)
'''

RESULTS = '''"""The results of both measurements."""

from collections.abc import Mapping

from unlearn_core.domain.results.result import Result


class BrightnessResult(Result, part="brightness"):
    mean: Mapping[str, float]


class CountResult(Result, part="count"):
    images: int
'''

CHART = '''"""A chart of {part}."""

import pandas as pd
import plotly.graph_objects as go

from somebodys_lab.results import {kind}
from unlearn_core.charts.chart import Chart, needs

CHART = Chart(
    id="{part}",
    title="{title}",
    question="How much is it, {part}?",
    caveat="It means nothing.",
    applies=needs({kind}),
    table=lambda reports: pd.DataFrame([{{"value": str(report[{kind}])}} for report in reports]),
    figure=lambda reports, theme: go.Figure(go.Bar(x=[1] * len(reports))),
    summary=lambda report: "It is as large as it is.",
    alt_text=lambda report: "A bar.",
    section="{section}",
    order=5,
)
'''

JOB = '''"""Counts the forget images, slowly."""

from somebodys_lab.results import CountResult
from unlearn_core.engine.job import OnDemandMeasurement, Workload

JOB = OnDemandMeasurement(
    id="count",
    title="Count of images",
    documentation="It counts. A made-up measurement.",
    purpose=lambda report: "Somebody wants to know the number.",
    action="Count them",
    unit="image",
    workload=lambda report, count: Workload(evaluated_images=len(report.split.forget_train)),
    measure=lambda loaded, count, model_cache, listener: CountResult(images=len(loaded.report.split.forget_train)),
)
'''


@pytest.fixture
def somebodys_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with a method, a measurement, a measurement on request, and their charts: new files, no list."""
    files = {
        "results.py": RESULTS,
        "methods/shrink.py": METHOD,
        "probes/brightness.py": PROBE,
        "charts/report/brightness.py": CHART.format(
            part="brightness", kind="BrightnessResult", title="Mean logit of each model", section="Inside"
        ),
        "charts/report/count.py": CHART.format(
            part="count", kind="CountResult", title="Number of forget images", section="Privacy"
        ),
        "engine/jobs/count.py": JOB,
    }
    for name, text in files.items():
        path = tmp_path / "plugins" / "somebodys_lab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in [path.parent, *path.parents[: name.count("/")]]:
            (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    monkeypatch.setenv("UNLEARN_PLUGINS", "unlearn_core.testing.tiny,somebodys_lab")
    plugins.discover.cache_clear()
    yield
    plugins.discover.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys_lab"]:
        del sys.modules[name]


@pytest.mark.usefixtures("somebodys_lab")
def test_new_files_are_everywhere(visit: Visit, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = unlearn(run_spec("tiny", method="shrink", classes=["rows"]), device="cpu", data_dir=home).run
    assert run is not None
    store = RunStore(home)
    app = fine(visit("run", id=str(run), tab="Inside"))
    assert "Shrink all weights" in app.title[0].value
    assert "Mean logit of each model" in {heading.value for heading in app.header}

    app = fine(visit("run", id=str(run), tab="Privacy"))
    assert "Number of forget images" in {heading.value for heading in app.header}
    fine(app.button(key="measure-count").click().run())
    (order,) = store.list_runs(kinds=("measure",))
    assert order.spec == MeasureSpec(run=run, what="count")
    execute_job(order, ModelCache("cpu", home), NullListener())
    store.cancel(order.id)
    app = fine(visit("run", id=str(run), tab="Privacy"))
    assert "It is as large as it is." in words(app) and "measure-count" not in [one.key for one in app.button]

    other = made_again(store, run)
    app = fine(visit("compare", ids=f"{run},{other}", tab="Inside"))
    assert "Mean logit of each model" in {heading.value for heading in app.header}

    page = render_report([reports.read(home, run)], methods=methods(), image_datasets={})
    assert "Mean logit of each model" in page and "Number of forget images" in page

    assert main(["methods"]) == 0
    assert "Shrink all weights" in capsys.readouterr().out
    assert "Shrink all weights" in make_docs.methods_page()
    assert (
        "## Mean logit" in make_docs.measures_page() and "## Count of images, on request" in make_docs.measures_page()
    )
