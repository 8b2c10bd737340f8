"""Relearn time on the report's page: offered, in progress, measured, failed, and for the example."""

from pathlib import Path

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES, by_class, started
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.charts.privacy import relearn as relearn_chart
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.relearn_protocol import PROTOCOL, images_needed
from unlearn_core.domain.run import Phase, Priority, Progress, RunState
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.forecasts.here import of_run
from unlearn_core.engine.forecasts.predict import Work
from unlearn_core.engine.jobs import relearn as relearn_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import classifiers
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

TITLE = relearn_chart.CHART.title
ASKED = frozenset({"measure"})


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine measures here may be coarse, as long as it is real."""
    monkeypatch.setattr(relearn_job, "PROTOCOL", PROTOCOL.model_copy(update={"draws": 1, "half": 8}))


def headings(app) -> set[str]:
    return {heading.value for heading in app.header}


def test_it_is_offered_with_its_cost_worked_on_and_then_there(visit: Visit, done: RunStore, home: Path) -> None:
    other = done.execution.register_running(
        by_class(), title="x", device="cpu"
    )  # Newest of all, so the median is between it and two more.
    done.execution.finish(other, 1, metrics=RunMetrics(seconds_per_image=0.001))
    for number in (CLASS, PICTURES):
        row = done.get(number)
        assert row.metrics.seconds_per_image
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert TITLE in headings(app) and "0 % accuracy does not prove forgetting" in words(app)
    taught, asked = images_needed(["after", "gold", "fresh"], 20)
    work = Work(None, taught, asked)
    expected = of_run(classifiers.card("tiny"), datasets.card("shapes"), work, done)
    offer = app.button(key="measure-relearn")
    assert expected is not None and offer.label == f"Measure ({expected} on this CPU)"
    offer.click().run()
    (order,) = done.list_runs(kinds=("measure",))
    assert (order.spec, order.priority) == (MeasureSpec(run=CLASS, what="relearn"), Priority.INTERACTIVE)
    assert "**Queued.**" in words(fine(app))
    assert "being completed" not in words(app), "the rest of the report lacks nothing"
    assert "measure-relearn" not in [button.key for button in app.button]

    order = started(done, kinds=ASKED)
    phases = (Phase("after", 40, 40, 4.0), Phase("gold", 40, 10, 1.0), Phase("fresh", 40, 0, 0.0))
    done.execution.heartbeat(order.id, order.attempt, progress=Progress(phases, "gold", 400.0))
    app.run()
    assert "Measuring" in words(fine(app))
    (bar,) = app.get("progress")
    assert bar.proto.text == "step 50 of 120 · about 7 s left"
    done.execution.finish(order.id, order.attempt, metrics=execute_job(order, ModelCache("cpu", home), NullListener()))
    app.run()
    assert TITLE in headings(fine(app))
    assert "A fresh model" in words(app) and not without_words(app)
    assert "measure-relearn" not in [button.key for button in app.button]
    relearned = done.get(CLASS).metrics.relearn
    assert relearned is not None and relearned.times.keys() == {"after", "gold", "fresh"}


def test_it_can_be_stopped_and_a_failure_says_why(visit: Visit, done: RunStore) -> None:
    app = visit("run", id=str(CLASS), tab="Privacy")
    app.button(key="measure-relearn").click().run()
    order = started(done, kinds=ASKED)
    app.run()
    assert "no step done yet" in app.get("progress")[0].proto.text
    app.button(key="cancel-relearn").click().run()
    assert done.get(order.id).cancelling
    assert (app.button(key="cancel-relearn").label, app.button(key="cancel-relearn").disabled) == ("Cancelling", True)
    done.execution.mark_cancelled(order.id, order.attempt)
    app.run()
    assert "failed" not in words(fine(app))
    app.button(key="measure-relearn").click().run()
    order = started(done, kinds=ASKED)
    done.execution.fail(order.id, order.attempt, "Teaching gold again broke down.")
    app.run()
    assert "The last attempt failed: Teaching gold again broke down." in words(fine(app))
    app.button(key="measure-relearn").click().run()
    assert done.list_runs(kinds=("measure",))[0].state is RunState.QUEUED


def test_without_gold_two_models_relearn_and_gold_is_added_later(visit: Visit, done: RunStore, home: Path) -> None:
    warm = ModelCache("cpu", home)
    app = visit("run", id=str(PICTURES), tab="Privacy")
    app.button(key="measure-relearn").click().run()
    order = started(done, kinds=ASKED)
    done.execution.finish(order.id, order.attempt, metrics=execute_job(order, warm, NullListener()))
    app.run()
    assert "There is no retrained model yet to compare with." in words(fine(app))
    assert "measure-relearn" not in [button.key for button in app.button]

    warm.golds.save(  # As if it had been trained: which weights it has makes no difference here.
        by_pictures(home).request, 0, weights="x", data=gold_bytes(home), seconds=1.0
    )
    execute_job(done.get(done.submit(MeasureSpec(run=PICTURES), title="x")), warm, NullListener())
    assert "gold" in reports.read(home, PICTURES).evaluations
    for waiting in done.list_runs(kinds=("measure",), states=(RunState.QUEUED,)):
        done.cancel(waiting.id)
    app.run()
    offer = fine(app).button(key="measure-relearn")
    assert offer.label.startswith("Measure again (") and offer.label.endswith(" on this CPU)")


def by_pictures(home: Path):
    return reports.read(home, PICTURES).spec


def gold_bytes(home: Path) -> bytes:
    return (home / "runs" / str(PICTURES) / "weights.safetensors").read_bytes()


def test_the_report_that_ships_says_what_it_lacks(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "EXAMPLE_DIR", tmp_path / "example")
    unlearn(by_class(), device="cpu", data_dir=tmp_path / "elsewhere", out=tmp_path / "example")
    app = fine(visit("run", id="example", tab="Privacy"))
    assert TITLE in headings(app) and "only measured on request" in words(app)
    assert "measure-relearn" not in [button.key for button in app.button]
