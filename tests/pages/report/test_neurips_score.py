"""The challenge's score on the report's page: offered with its cost, at work, there, and where it cannot be had.

KLoM, which uses the same models, too.
"""

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, started
from tests.pages.page_asserts import fine, words
from unlearn_core.charts.privacy import klom, neurips_score
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.run import Phase, Priority, Progress
from unlearn_core.engine.execute import measure_on_demand
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

TITLE = neurips_score.CHART.title


def test_it_is_offered_with_its_cost_and_followed(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert TITLE in {heading.value for heading in app.header}
    assert (
        "16 models are unlearned with these settings and compared with 32 retrained models, 32 of which must be"
        in words(app)
    )
    first = app.button(key="measure-score").label
    app.segmented_control(key="score-nets").set_value(64).run()
    assert "64 models are unlearned with these settings" in words(fine(app))
    assert app.button(key="measure-score").label != first
    app.button(key="measure-score").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    assert (order.spec, order.priority) == (MeasureSpec(run=CLASS, what="score", nets=64), Priority.BACKGROUND)
    assert "**Queued.**" in words(fine(app))

    order = started(done, kinds=frozenset({"measure"}))
    phases = (Phase("unlearned models", 64, 10, 5.0), Phase("retrained models", 128, 0, 0.0))
    done.execution.heartbeat(order.id, order.attempt, progress=Progress(phases, "unlearned models", None))
    app.run()
    (bar,) = fine(app).get("progress")
    assert bar.proto.text.startswith("model 10 of 192")
    app.button(key="cancel-score").click().run()
    assert done.get(order.id).cancelling
    done.execution.fail(order.id, order.attempt, "The machine caught fire.")
    app.run()
    assert "The last attempt failed: The machine caught fire." in words(fine(app))
    assert app.button(key="measure-score")


def test_klom_is_offered_ordered_and_shown(visit: Visit, done: RunStore) -> None:
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    assert "16 models are unlearned with these settings and compared with 32 retrained models" in words(app)
    app.button(key="measure-klom").click().run()
    (order,) = done.list_runs(kinds=("measure",))
    assert (order.spec, order.priority) == (MeasureSpec(run=CLASS, what="klom", nets=16), Priority.BACKGROUND)
    measure_on_demand(MeasureSpec(run=CLASS, what="klom", nets=4), ModelCache("cpu", done.data_dir), NullListener())
    app = fine(visit("run", id=str(CLASS), tab="Privacy"))
    report = reports.read(done.data_dir, CLASS)
    assert klom.CHART.summary(report) in words(app)
