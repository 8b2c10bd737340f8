"""The attack with shadow models on the report's page: offered with its cost, at work, there, and where it cannot be."""

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, started
from tests.pages.page_asserts import fine, words
from unlearn_core.charts.privacy import lira
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.run import Phase, Priority, Progress
from unlearn_core.store.queue.run_store import RunStore


def test_it_is_offered_with_its_cost_and_followed(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert lira.CHART.title in {heading.value for heading in app.header}
    assert "8 classifiers are trained from other seeds" in words(app)
    assert "compared with 9 retrained models, 9 of which must be trained first" in words(app)
    first = app.button(key="measure-lira").label
    app.segmented_control(key="lira-nets").set_value(32).run()
    assert app.button(key="measure-lira").label != first
    app.button(key="measure-lira").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    assert (order.spec, order.priority) == (MeasureSpec(run=CLASS, what="lira", nets=32), Priority.BACKGROUND)
    assert "**Queued.**" in words(fine(app))

    order = started(done, kinds=frozenset({"measure"}))
    phases = (Phase("shadow models", 32, 3, 5.0), Phase("retrained models", 33, 0, 0.0))
    done.execution.heartbeat(order.id, order.attempt, progress=Progress(phases, "shadow models", None))
    app.run()
    (bar,) = fine(app).get("progress")
    assert bar.proto.text.startswith("model 3 of 65")
    app.button(key="cancel-lira").click().run()
    assert done.get(order.id).cancelling
    done.execution.fail(order.id, order.attempt, "The machine caught fire.")
    app.run()
    assert "The last attempt failed: The machine caught fire." in words(fine(app))
    assert app.button(key="measure-lira")
