"""The run bar: what would be run, what that costs here, and the button that runs it."""

import re

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, label, words
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import run_setup as setups

TITLES = {
    "classifier": "Which classifier should forget?",
    "forget": "What should it forget?",
    "method": "How should it forget?",
}


@pytest.mark.parametrize("page", list(TITLES))
@pytest.mark.parametrize("other", list(TITLES))
def test_it_is_on_every_lab_page_and_leads_to_the_others(visit: Visit, page: str, other: str) -> None:
    app = fine(visit(page, classifier="tiny", forget="rows,discs", method="finetune", preset="gentle"))
    assert app.title[0].value == TITLES[page]
    assert label(app, "strip-classifier") == "Tiny · Shapes"
    assert label(app, "strip-forget") == "rows, discs · 200 images"
    assert label(app, "strip-method") == "Fine-tune · gentle preset"
    said = dict(app.query_params)
    fine(app.button(key=f"strip-{other}").click().run())
    assert app.title[0].value == TITLES[other]
    assert app.query_params == said


@pytest.mark.parametrize("page", list(TITLES))
def test_run_submits_what_is_shown_and_opens_its_page(visit: Visit, store: RunStore, page: str) -> None:
    app = visit(page, classifier="tiny", forget="rows", method="unsir", impair_lr="0.01", seed="4")
    fine(app.button(key="strip-run").click().run())
    (run,) = store.list_runs()
    assert isinstance(run.spec, UnlearnSpec)
    assert run.state is RunState.QUEUED
    assert run.title == "Forget rows with UNSIR"
    setup, _ = setups.from_params({"classifier": "tiny", "forget": "rows", "impair_lr": "0.01", "seed": "4"})
    assert run.spec == run_plan.resolve(setup).spec
    assert (run.spec.params["impair_lr"], run.spec.seed) == (0.01, 4)
    assert app.query_params == {"id": str(run.id)}


def test_the_cost_is_this_machines_own_once_a_run_was_made_here(visit: Visit, store: RunStore) -> None:
    app = fine(visit("forget", classifier="tiny", forget="rows", preset="bundled"))
    assert "For a typical CPU" in _cost(app).help
    made_before(store, seconds=90.0)
    app = fine(visit("forget", classifier="tiny", forget="rows", preset="bundled", seed="1"))
    found = re.fullmatch(r"(\d+) s to ([\d.]+) minutes here", _cost(app).value)
    assert found and 50 < float(found[1]) < 90 < 60 * float(found[2]) <= 180
    assert "on this machine" in _cost(app).help
    (other,) = (
        text
        for text in words(fine(visit("method", classifier="tiny", forget="rows", preset="bundled"))).split("\n")
        if text == _cost(app).value.removesuffix(" here")
    )
    assert other, "the list of methods says the same"


def made_before(store: RunStore, *, seconds: float) -> None:
    """Three finished runs of the setup of this test, each of which took that long."""
    plan = run_plan.resolve(setups.from_params({"classifier": "tiny", "forget": "rows", "preset": "bundled"})[0])
    assert plan.sizes is not None
    images = plan.method.images_processed(plan.params, plan.sizes)
    spent = JobSeconds(total=seconds, load=0.0, forget=0.9 * seconds, evaluate=0.05 * seconds, probes=0.05 * seconds)
    for _ in range(3):
        number = store.execution.register_running(plan.spec, title="x", device="cpu")
        store.execution.finish(
            number, 1, metrics=RunMetrics(seconds=spent, seconds_per_image=1.0, planned_images=images)
        )


def test_a_job_of_hours_says_so_and_asks(visit: Visit, store: RunStore) -> None:
    made_before(store, seconds=20_000.0)
    app = fine(visit("forget", classifier="tiny", forget="rows", preset="bundled", seed="1"))
    assert re.fullmatch(r"\d to \d+ hours here", _cost(app).value)
    app = fine(app.button(key="strip-run").click().run())
    assert re.search(r"This job is long: \d to \d+ hours on this CPU", words(app)) and len(store.list_runs()) == 3
    assert "This job is long" not in words(fine(app.button(key="strip-run-no").click().run()))
    assert len(store.list_runs()) == 3
    app = fine(app.button(key="strip-run").click().run())
    fine(app.button(key="strip-run-yes").click().run())
    assert store.list_runs()[0].state is RunState.QUEUED and len(store.list_runs()) == 4


def test_another_setup_withdraws_the_question(visit: Visit, store: RunStore) -> None:
    made_before(store, seconds=20_000.0)
    app = fine(visit("forget", classifier="tiny", forget="rows", preset="bundled"))
    app = fine(app.button(key="strip-run").click().run())
    assert "This job is long" in words(app)
    assert "This job is long" not in words(fine(app.checkbox[1].check().run()))
    assert len(store.list_runs()) == 3


def _cost(app):
    return next(caption for caption in app.caption if caption.value.endswith("here"))


def test_words_of_others_do_not_act_as_markdown(visit: Visit) -> None:
    app = fine(visit("forget", forget="![x](http://elsewhere/a.png)"))
    assert "\\!\\[x\\](http\\://elsewhere/a.png)" in app.warning[0].value


def test_a_full_queue_is_a_sentence(visit: Visit, store: RunStore) -> None:
    app = visit("forget", classifier="tiny", forget="rows")
    spec = run_plan.resolve(setups.from_params(dict(app.query_params))[0]).spec
    for number in range(1, 21):
        store.submit(spec.model_copy(update={"seed": number}), title="x")
    app.button(key="strip-run").click().run()
    assert not app.exception
    assert "queue is full" in words(app)
    assert len(store.list_runs()) == 20


def test_a_run_that_continues_another_costs_what_remains(done: RunStore) -> None:
    """As many images as the method will be given: what the earlier run forgot is not trained on again."""
    chained, _ = setups.from_params({"classifier": "tiny", "forget": "rows", "start": str(CLASS)})
    plan = run_plan.resolve(chained)
    problem = build_problem(resolve_run(plan.spec, ModelCache("cpu", done.data_dir)), ModelCache("cpu", done.data_dir))
    assert plan.sizes == problem.sizes
    alone = run_plan.resolve(setups.from_params({"classifier": "tiny", "forget": "rows"})[0])
    assert alone.sizes and plan.sizes and plan.sizes.retain < alone.sizes.retain


def test_a_run_without_a_report_cannot_be_continued(done: RunStore) -> None:
    number = done.submit(
        run_plan.resolve(setups.from_params({"classifier": "tiny", "forget": "rows"})[0]).spec, title="x"
    )
    plan = run_plan.resolve(setups.from_params({"classifier": "tiny", "forget": "rows", "start": str(number)})[0])
    assert (
        plan.error
        == f"Run {number} has no report that can be read, so it cannot be continued. Choose another finished run."
    )
    assert plan.sizes is None
