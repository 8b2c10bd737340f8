"""The retrained model of a report, and a second one: requested, shared, cancelled, resumed."""

from math import isnan

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES, advance, by_class, by_picture, started
from tests.pages.page_asserts import fine, words
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.forecasts.here import of_gold
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import classifiers
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.shell import cache

GOLD, TWIN = (TrainGoldSpec(request=by_picture().request, seed=seed) for seed in (0, 1))


def measured(store: RunStore, kind: str, seconds: float, classifier: str = "tiny") -> None:
    """A finished run of that kind, whose training images took so long each."""
    request = by_picture().request.model_copy(update={"classifier": classifier})
    spec = (
        TrainGoldSpec(request=request, seed=7)
        if kind == "gold"
        else by_picture().model_copy(update={"request": request})
    )
    number = store.execution.register_running(spec, title="x", device="cpu")
    store.execution.finish(number, 1, metrics=RunMetrics(seconds_per_image=seconds))


def trained(store: RunStore, spec: TrainGoldSpec, warm: ModelCache) -> None:
    """Carries out the gold that waits."""
    run = started(store, kinds=frozenset({"gold"}))
    assert run.spec == spec
    store.execution.finish(run.id, run.attempt, metrics=execute_job(run, warm, NullListener()))


def test_the_cost_is_that_of_this_classifier_here(done: RunStore, visit: Visit) -> None:
    measured(done, "unlearn", 1.0, classifier="another")
    for number in range(20):  # The runs that made the report were quicker than any that one can wait for.
        measured(done, "unlearn", 0.5 + number / 1000)
    card, data = classifiers.card("tiny"), datasets.card("shapes")
    expected = of_gold(card, data, 397, done)
    offer = fine(visit("run", id=str(PICTURES))).button(key="train-gold").label
    assert offer == f"Train the retrained model in the background ({expected} on this CPU)"
    for _ in range(3):
        measured(done, "gold", 0.1)
    expected = of_gold(card, data, 397, done)
    assert expected and expected.low < 4 * 397 * 0.1 < expected.high < 300, "golds know best what a gold takes"
    nobody = of_gold(card.model_copy(update={"id": "nobody's"}), data, 397, done)
    assert nobody and cost_estimate.in_words(nobody).endswith(" on a typical CPU")


def test_a_gold_of_hours_is_trained_only_after_a_question(done: RunStore, visit: Visit) -> None:
    for _ in range(3):
        measured(done, "gold", 10.0)
    app = fine(visit("run", id=str(PICTURES)))
    app = fine(app.button(key="train-gold").click().run())
    assert "This job is long" in words(app) and len(done.list_runs(kinds=("gold",))) == 3
    app = fine(app.button(key="train-gold-no").click().run())
    assert "This job is long" not in words(app) and len(done.list_runs(kinds=("gold",))) == 3
    app = fine(app.button(key="train-gold").click().run())
    fine(app.button(key="train-gold-yes").click().run())
    assert done.list_runs(kinds=("gold",))[0].state is RunState.QUEUED


def test_two_people_share_one_gold_and_either_may_stop_it(done: RunStore, visit: Visit) -> None:
    first, second = (visit("run", id=str(PICTURES)) for _ in range(2))
    for app in (first, second):
        app.button(key="train-gold").click().run()
        assert "The retrained model is being trained." in words(fine(app))
    (gold,) = done.list_runs(kinds=("gold",))
    assert gold.spec == GOLD and gold.title == "Retrain without 3 images"
    advance(done, started(done, kinds=frozenset({"gold"})), 6)
    first.button(key="cancel-gold").click().run()
    assert done.get(gold.id).cancelling
    assert (first.button(key="cancel-gold").label, first.button(key="cancel-gold").disabled) == ("Cancelling", True)
    done.execution.mark_cancelled(gold.id, 1)
    folder = GoldStore(done.data_dir).folder(GOLD.request, 0)
    folder.mkdir(parents=True)
    (folder / "state.pt").touch()
    second.run()
    assert "resumes there" in words(fine(second))
    second.button(key="train-gold").click().run()
    (again, _) = done.list_runs(kinds=("gold",))
    assert again.id != gold.id and again.priority is Priority.BACKGROUND

    page = fine(visit("run", id=str(gold.id)))
    assert "The last complete epoch is stored" in words(page)
    page.button(key="same").click().run()
    assert page.query_params["id"] == str(again.id), "one that is asked for already is shared"


def test_a_second_gold_tells_how_far_two_golds_are_apart(done: RunStore, visit: Visit) -> None:
    warm = ModelCache("cpu", done.data_dir)
    request = by_class().request
    twin = TrainGoldSpec(request=request, seed=1)
    app = fine(visit("run", id=str(CLASS)))
    offer = app.button(key="train-gold")
    assert offer.label.startswith("Train a second retrained model (about ")
    assert offer.label.endswith(") to see how far two are apart")
    assert "--forget-classes discs --seed 1" in [code.value for code in app.code][-1]
    offer.click().run()
    (run,) = done.list_runs(kinds=("gold",))
    assert (run.spec, run.priority, run.title) == (twin, Priority.BACKGROUND, "Retrain without discs, number 2")
    assert "A second retrained model is being trained." in words(fine(app))

    trained(done, twin, warm)
    (measure,) = done.list_runs(kinds=("measure",))
    assert measure.spec == MeasureSpec(run=CLASS)
    app.run()
    assert "The report is being completed" in words(fine(app))
    measure = started(done, kinds=frozenset({"measure"}))
    done.execution.finish(measure.id, measure.attempt, metrics=execute_job(measure, warm, NullListener()))
    report = reports.read(done.data_dir, CLASS)
    assert "twin" in report.evaluations and "twin" not in report.missing
    assert not isnan(report[DistanceResult].overall["val"].between_golds)
    app.run()
    assert "train-gold" not in [button.key for button in fine(app).button]
    page = fine(visit("run", id=str(run.id)))
    assert page.title[0].value == "Retrain without *discs*, number 2"
    assert "how far two retrained models are apart" in words(page)


def test_a_gold_that_nobody_ordered_for_this_report_is_added_to_it(done: RunStore, visit: Visit) -> None:
    """It may have been trained while this run was still at work, or been copied here."""
    warm = ModelCache("cpu", done.data_dir)
    done.submit_unique(GOLD, title="x")
    trained(done, GOLD, warm)
    (measure,) = done.list_runs(kinds=("measure",))
    done.cancel(measure.id)
    app = fine(visit("run", id=str(PICTURES)))
    assert "train-gold" not in [button.key for button in app.button]
    app.button(key="add-gold").click().run()
    assert "The report is being completed" in words(fine(app))
    (measure, _) = done.list_runs(kinds=("measure",))
    assert (measure.spec, measure.state) == (MeasureSpec(run=PICTURES), RunState.QUEUED)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_further_gold_without_the_first_completes_nothing(done: RunStore, seed: int) -> None:
    done.submit_unique(TWIN.model_copy(update={"seed": seed}), title="x")
    trained(done, TWIN.model_copy(update={"seed": seed}), ModelCache("cpu", done.data_dir))
    assert not done.list_runs(kinds=("measure",))


def test_what_is_added_while_the_report_is_read_is_shown_at_once(
    done: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, read_report = list[Report](), cache.report

    def report(run: int, version: tuple[str, ...]) -> Report:
        found = read_report(run, version)
        if not read:  # A worker adds something before the page looks whether one is at work.
            part = found[AccuracyResult]
            artifacts.write_part(artifacts.run_dir(done.data_dir, run), part.part, part.to_part())
        read.append(found)
        return found

    monkeypatch.setattr(cache, "report", report)
    fine(visit("run", id=str(PICTURES)))
    assert len(read) == 2, "the report is read again"
