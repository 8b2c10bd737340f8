"""The run bar: what would be run, what that costs here, and the button that runs it."""

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS
from tests.pages.page_asserts import fine, label, words
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
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
    app = fine(visit("forget", classifier="tiny", forget="rows"))
    guess = run_plan.resolve(setups.from_params(dict(app.query_params))[0])
    assert "for a typical CPU" in _cost(app).help
    spec = guess.spec
    run = store.register_running(spec, title="x", device="cpu")
    store.finish(run, 1, metrics=RunMetrics(seconds_per_image=0.02))

    assert guess.sizes
    images = guess.method.images_processed(guess.params, guess.sizes) + run_plan.MEASURING_COST * 600
    app = fine(visit("forget", classifier="tiny", forget="rows", seed="1"))
    assert _cost(app).value == f"about {round(images * 0.02)} s here"
    assert "on this machine" in _cost(app).help


def _cost(app):
    return next(caption for caption in app.caption if caption.value.endswith("here"))


def test_words_of_others_do_not_act_as_markdown(visit: Visit) -> None:
    app = fine(visit("forget", forget="![x](http://elsewhere/a.png)"))
    assert "\\!\\[x\\](http\\://elsewhere/a.png)" in app.warning[0].value


def test_a_full_queue_is_a_sentence(visit: Visit, store: RunStore) -> None:
    app = visit("forget", classifier="tiny", forget="rows")
    spec = run_plan.resolve(setups.from_params(dict(app.query_params))[0]).spec
    for number in range(20):
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
    assert plan.error == f"Run {number} has no report, so it cannot be continued. Choose another finished run."
    assert plan.sizes is None
