"""The preset auto on the page Method: the default where no preset was tuned, what a run finds, and what is fixed."""

import pytest

from tests.pages.conftest import Visit
from tests.pages.page_asserts import fine, label, words
from unlearn_core import methods
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import run_setup as setups

FOUND = ("impair_lr", "repair_lr", "impair_epochs", "repair_epochs", "batch")
MOONS = {"classifier": "mlp-moons", "forget": "dawn"}


def spec(auto: tuple[str, ...], **params: float) -> UnlearnSpec:
    base = methods.method("unsir").presets["bundled"].params.updated({"early_stop": bool(auto)} | dict(params))
    request = ForgetRequest(classifier="mlp-moons", dataset="moons", forget=ForgetClasses(classes=(0,)))
    return UnlearnSpec(request=request, method="unsir", params=base.model_dump(), auto=auto)


def test_it_is_the_default_and_says_what_the_run_finds(visit: Visit, store: RunStore) -> None:
    app = fine(visit("method", **MOONS))
    assert label(app, "strip-method") == "UNSIR · auto preset"
    assert "The run tries several strengths at its start and uses what fits" in words(app)
    assert words(app).count("found by the run") == len(FOUND)
    assert "preset" not in app.query_params
    fine(app.button(key="strip-run").click().run())
    assert store.get(1).spec == spec(FOUND)


def test_a_changed_hyperparameter_is_fixed_until_it_is_reset(visit: Visit, store: RunStore) -> None:
    app = fine(visit("method", **MOONS))
    fine(app.select_slider(key="knob-unsir-impair_lr").set_value(0.01).run())
    assert label(app, "strip-method") == "UNSIR · auto preset, changed"
    assert words(app).count("found by the run") == len(FOUND) - 1
    again = fine(visit("method", **app.query_params))
    assert words(again).count("found by the run") == len(FOUND) - 1
    fine(again.button(key="strip-run").click().run())
    assert store.get(1).spec == spec(FOUND[1:], impair_lr=0.01)
    fine(app.button(key="reset-knob-unsir-impair_lr").click().run())
    assert words(app).count("found by the run") == len(FOUND)


def test_another_preset_finds_nothing(visit: Visit, store: RunStore) -> None:
    app = fine(visit("method", **MOONS))
    fine(app.segmented_control(key="preset-unsir").set_value("bundled").run())
    assert app.query_params["preset"] == "bundled"
    assert "found by the run" not in words(app)
    fine(app.button(key="strip-run").click().run())
    assert store.get(1).spec == spec(())


def test_where_the_presets_were_tuned_there_is_none(visit: Visit) -> None:
    app = fine(visit("method", preset="auto"))
    assert label(app, "strip-method") == "UNSIR · bundled preset"
    assert "auto" not in app.segmented_control(key="preset-unsir").options


def test_changing_to_that_classifier_is_bundled_again(visit: Visit) -> None:
    app = fine(visit("classifier", **MOONS))
    assert label(app, "strip-method") == "UNSIR · auto preset"
    app = fine(visit("method", classifier="resnet20"))
    assert label(app, "strip-method") == "UNSIR · bundled preset"


@pytest.mark.parametrize(
    "made",
    [
        spec(FOUND),
        spec(FOUND[1:]),
        spec(FOUND[1:], impair_lr=0.01),
        spec(FOUND, noise_steps=5),
        spec(()),
        spec((), impair_lr=0.01, repair_epochs=3),
        spec(FOUND, early_stop=False),
        spec((), early_stop=True),
    ],
    ids=["all", "one fixed", "one changed", "another changed", "none", "none, changed", "to the end", "stopping"],
)
def test_a_run_comes_back_through_its_address(made: UnlearnSpec) -> None:
    setup = setups.from_spec(made)
    back, trouble = setups.from_params(setups.to_params(setup))
    assert not trouble
    for one in (setup, back):
        preset = methods.preset(methods.method("unsir"), "mlp-moons", one.preset)
        assert preset.for_request(one.forget).updated(dict(one.params)).model_dump() == made.params
        assert tuple(name for name in preset.auto if name not in one.params) == made.auto


def test_a_sweep_does_not_search_but_begins_where_the_search_would(visit: Visit, store: RunStore) -> None:
    app = fine(visit("sweep", **MOONS, method="finetune", knobs="lr"))
    fine(app.button(key="sweep-start").click().run())
    (sweep,) = store.sweeps.list_recent()
    finetune = methods.method("finetune")
    bundled = finetune.presets["bundled"].params.model_dump()
    assert sweep.spec.params == bundled | {name: sweep.spec.params[name] for name in ("epochs", "batch")}
    assert sweep.spec.params["epochs"] > bundled["epochs"], "small data is shown in more epochs"
    assert sweep.spec.params["batch"] < bundled["batch"], "and in smaller batches"
    assert not sweep.spec.run_spec({}).auto


def test_its_search_is_part_of_the_cost(store: RunStore) -> None:
    plans = [run_plan.resolve(setups.from_params(MOONS | more)[0]) for more in ({}, {"preset": "bundled"})]
    auto, bundled = (run_plan.forecast(plan, plan.method, plan.params, auto=plan.auto) for plan in plans)
    assert auto is not None and bundled is not None
    assert auto.high > bundled.high
