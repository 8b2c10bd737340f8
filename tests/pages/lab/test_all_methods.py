"""All methods on one request: the entry, and every state that their comparison can be in."""

from collections.abc import Sequence

import pytest

from tests.charts.fake_methods import metrics
from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core import methods
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Phase, Priority, Progress, Run, RunState
from unlearn_core.engine.build_spec import forget_request
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.method_comparison import RETRAIN, compare_methods
from unlearn_core.models import classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import chart_card

DISCS = {"classifier": "tiny", "forget": "discs"}
IMAGES = {"classifier": "tiny", "images": "3,7,11"}
FOR_CLASSES = [name for name, one in methods.methods().items() if "classes" in one.supports and name != RETRAIN]


def specs(*, images: Sequence[int] = ()) -> dict[str, UnlearnSpec]:
    """The specs of the comparison on discs, or on these images, by method."""
    request = forget_request("tiny", images=images) if images else forget_request("tiny", classes=["discs"])
    return compare_methods(request).specs


def queue(store: RunStore, *, images: Sequence[int] = (), count: int | None = None) -> list[int]:
    """Queue the first runs of the comparison, as one press does."""
    wanted = {f"Forget discs with {name}": spec for name, spec in list(specs(images=images).items())[:count]}
    return store.method_runs.submit(wanted)


def claim(store: RunStore) -> Run:
    run = store.execution.claim("a worker", device="cpu", kinds={"unlearn", "gold", "measure"})
    assert run is not None
    return run


def finish(store: RunStore, count: int = 1, found: RunMetrics | None = None) -> list[int]:
    """End the next runs as done."""
    ended = [claim(store) for _ in range(count)]
    for at, run in enumerate(ended):
        store.execution.finish(run.id, run.attempt, metrics=found or metrics(0.2 - 0.01 * at, 0.9))
    return [run.id for run in ended]


def methods_of(store: RunStore) -> list[str]:
    return [run.spec.method for run in store.list_runs()[::-1] if isinstance(run.spec, UnlearnSpec)]


def test_one_press_on_the_method_page_queues_every_method_and_opens_the_comparison(
    visit: Visit, store: RunStore
) -> None:
    app = fine(visit("method", **DISCS, method="ssd", alpha="3"))
    fine(app.button(key="every-method").click().run())
    assert methods_of(store) == FOR_CLASSES
    assert len({run.group for run in store.list_runs()}) == 1
    assert all(run.priority is Priority.SWEEP and run.state is RunState.QUEUED for run in store.list_runs())
    for run in store.list_runs():
        assert isinstance(run.spec, UnlearnSpec)
        method = methods.method(run.spec.method)
        assert run.spec.auto == methods.preset(method, "tiny", methods.AUTO).auto, "not with what the page has set"
    assert app.query_params == DISCS, "the URL has the request alone"
    assert app.title[0].value == "All methods on *discs*"
    app = fine(visit("method", **DISCS))
    fine(app.button(key="every-method").click().run())
    assert methods_of(store) == FOR_CLASSES, "a second press adds nothing"


def test_what_was_run_before_is_used_and_only_the_rest_is_queued(visit: Visit, store: RunStore) -> None:
    run = store.submit(specs()["scrub"], title="Forget discs with SCRUB")
    finish(store)
    app = fine(visit("methods", **DISCS))
    assert app.dataframe[0].value["open"].tolist()[0] == f"Run {run}"
    assert app.button(key="every-method").label == f"Run the {len(FOR_CLASSES) - 1} missing"
    fine(app.button(key="every-method").click().run())
    assert sorted(methods_of(store)) == sorted(FOR_CLASSES)


def test_without_a_request_it_says_what_it_is_and_lists_the_latest(visit: Visit, store: RunStore) -> None:
    app = fine(visit("methods"))
    assert app.title[0].value == "All methods on one request"
    assert "None yet" in words(app) and "cat of ResNet-20" in words(app)
    assert not app.button(key="every-method").disabled
    queue(store, count=3)
    finish(store)
    app = fine(visit("methods"))
    (link,) = app.get("page_link")
    assert link.proto.label == "discs · Tiny · Shapes"
    assert "1 run finished, 2 unfinished" in words(app)
    app.button(key="to-forget").click().run()
    assert fine(app).title[0].value == "What should it forget?"


def test_a_link_that_cannot_be_used_compares_nothing_else(visit: Visit, store: RunStore) -> None:
    app = fine(visit("methods", classifier="tiny", forget="cats"))
    assert "Part of this link could not be used" in words(app) and "cats" in words(app)
    assert app.title[0].value == "All methods on one request"


def test_a_request_that_nothing_was_run_on_offers_it(visit: Visit, store: RunStore) -> None:
    app = fine(visit("methods", **DISCS, seed="2"))
    assert "No method has a result on this request yet" in words(app)
    assert f"seed 2 · 0 of {len(FOR_CLASSES)} methods done" in words(app)
    assert not [button for button in app.button if button.key == "train-gold"], "one button queues both"
    fine(app.button(key="every-method").click().run())
    assert {run.spec.seed for run in store.list_runs() if isinstance(run.spec, UnlearnSpec)} == {2}


def test_while_they_are_queued_and_running_it_says_which(visit: Visit, store: RunStore) -> None:
    queue(store, count=4)
    app = fine(visit("methods", **DISCS))
    assert f"0 of {len(FOR_CLASSES)} methods done · 4 queued" in words(app)
    assert "Queued: Bad Teacher, Boundary, Last layers" in words(app)
    assert not app.dataframe
    run = claim(store)
    store.execution.heartbeat(run.id, run.attempt, progress=Progress((Phase("distil", 10, 4, 0.4),), "distil", 100.0))
    fine(app.run())
    assert "1 running · 3 queued" in words(app)
    (bar,) = app.get("progress")
    assert bar.proto.text.startswith("**Bad Teacher** · distil · step 4 of 10")
    store.execution.finish(run.id, run.attempt, metrics=metrics(0.1, 0.89))
    finish(store)
    fine(app.run())
    assert f"2 of {len(FOR_CLASSES)} methods done · 2 queued" in words(app)
    assert app.dataframe[0].value["Method"].tolist() == [
        "Bad Teacher",
        "Boundary",
        "Retrained model",
        "Original model",
    ]
    assert not without_words(app)


def test_once_all_are_done_the_table_and_the_chart_lead_to_every_report(visit: Visit, store: RunStore) -> None:
    runs = queue(store)
    finish(store, len(runs))
    app = fine(visit("methods", **DISCS))
    assert f"{len(runs)} of {len(runs)} methods done" in words(app)
    assert "Closest to the retrained model" in words(app) and "with one seed" in words(app)
    assert [button.key for button in app.button if button.key in ("every-method", "comparison-cancel")] == []
    table = app.dataframe[0].value
    assert len(table) == len(runs) + 2
    assert table["open"].tolist() == [f"Run {run}" for run in reversed(runs)] + ["–", "–"]
    assert set(table["Forgotten"]) == {"partly", "–"} and set(table["Retained"]) == {"retained", "–"}
    assert not without_words(app)
    app.session_state[chart_card.OPENED_KEY] = runs[0]  # what the callback of a click does, which AppTest cannot cause
    fine(app.run())
    assert app.query_params == {"id": str(runs[0])}


def test_what_failed_was_cancelled_or_cannot_be_run_has_a_sentence(visit: Visit, store: RunStore) -> None:
    queue(store, images=(3, 7, 11), count=3)
    run = claim(store)
    store.execution.fail(run.id, run.attempt, "The loss is no longer a number.")
    finish(store)
    app = fine(visit("methods", **IMAGES))
    fine(app.button(key="comparison-cancel").click().run())
    assert all(run.state.is_finished for run in store.list_runs())
    text = words(app)
    assert "1 failed · 1 cancelled" in text
    assert "**Bad Teacher** ([run 1](run?id=1)) failed: The loss is no longer a number." in text
    assert "Cancelled: Fine-tune ([run 3](run?id=3))." in text
    assert "Not run yet: " in text
    assert "UNSIR cannot forget single images." in text and "Retrain makes a retrained model" in text
    before = len(store.list_runs())
    fine(app.button(key="every-method").click().run())
    again = store.list_runs(states=(RunState.QUEUED,), kinds=("unlearn",))
    assert len(again) == len(specs(images=(3, 7, 11))) - 1, "those that failed or were cancelled too"
    assert len(store.list_runs()) == before + len(again) + 1, "and the retrained model"


def test_a_missing_retrained_model_is_trained_with_them(visit: Visit, store: RunStore) -> None:
    app = fine(visit("method", **IMAGES))
    fine(app.button(key="every-method").click().run())
    (gold,) = store.list_runs(kinds=("gold",))
    assert gold.spec == TrainGoldSpec(request=forget_request("tiny", images=(3, 7, 11)))
    assert gold.priority is Priority.BACKGROUND
    app = fine(visit("methods", **IMAGES))  # AppTest itself stays on the page that it came from
    assert "The retrained model is being trained" in words(app)
    finish(store, found=metrics(0.1, 0.85, gold=False))
    fine(app.run())
    assert "There is no retrained model yet" in words(app) and "Sorted by name" in words(app)
    fine(app.button(key="comparison-cancel").click().run())
    assert store.get(gold.id).state is RunState.CANCELLED
    assert "There is no retrained model for this request yet" in words(app)
    app.button(key="train-gold").click().run()
    fine(app)
    assert len(store.list_runs(kinds=("gold",), states=(RunState.QUEUED,))) == 1


def test_a_failed_training_of_the_retrained_model_says_why(visit: Visit, store: RunStore) -> None:
    number = store.submit(TrainGoldSpec(request=forget_request("tiny", images=(3, 7, 11))), title="gold")
    store.execution.fail(number, claim(store).attempt, "The disk is full.")
    queue(store, images=(3, 7, 11), count=1)
    finish(store, found=metrics(0.1, 0.9, gold=False))
    app = fine(visit("methods", **IMAGES))
    assert f"The last attempt, run {number}, failed: The disk is full." in words(app)


def test_a_classifier_without_a_recipe_says_how_to_get_a_retrained_model(
    visit: Visit, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = classifiers.card("tiny").model_copy(update={"recipe": None})
    monkeypatch.setattr(classifiers, "card", lambda name: card)
    app = fine(visit("methods", **IMAGES))
    assert "it cannot be retrained" in words(app)
    assert [link.proto.label for link in app.get("page_link")] == ["Confirm a training recipe for the retrained model"]
    fine(app.button(key="every-method").click().run())
    assert not store.list_runs(kinds=("gold",))


def test_it_waits_for_the_measurements_that_follow_the_retrained_model(visit: Visit, store: RunStore) -> None:
    (run,) = queue(store, count=1)
    finish(store)
    store.submit(MeasureSpec(run=run), title="Add the retrained model")
    assert "1 report to be completed" in words(fine(visit("methods", **DISCS)))


def test_runs_that_take_hours_are_asked_about(visit: Visit, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "unlearn_core.ui.components.run_plan.forecast", lambda *_, **__: Forecast(5000.0, 9000.0, measured=True)
    )
    app = fine(visit("method", **DISCS))
    fine(app.button(key="every-method").click().run())
    assert "This job is long" in words(app) and not store.list_runs()
    fine(app.button(key="every-method-yes").click().run())
    assert methods_of(store) == FOR_CLASSES


def test_the_way_back_from_a_run_leads_to_the_comparison(visit: Visit, store: RunStore) -> None:
    app = fine(visit("methods", **DISCS))
    app.query_params = {"id": "1"}
    fine(app.run())
    assert app.query_params == DISCS and app.title[0].value == "All methods on *discs*"


def test_the_history_has_one_row_for_all_of_them(visit: Visit, store: RunStore) -> None:
    queue(store, count=3)
    finish(store, 2)
    table = fine(visit("history")).dataframe[0].value
    assert table["run"].tolist() == ["Compare"]
    assert table["method"].tolist() == ["all methods"]
    assert table["state"].tolist() == ["◔ 2 of 3 methods"]
