"""The form of a new sweep: hyperparameters and their ranges, sampler, objectives and budget."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.sweeps.objectives import OBJECTIVES, validate_sweep
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import MAX_HYPERPARAMETERS, SweepSpec
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.ui.components import cost_estimate, gold_actions, run_bar, run_plan
from unlearn_core.ui.components.hyperparameter_inputs import SWEPT_PARAM
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.pages.sweep import budget_inputs, range_inputs
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, run_setup, url_state
from unlearn_core.ui.shell.markdown import escape

SWEEP_PARAM = "sweep"
"""The URL parameter with the number of a sweep; `id` is a run's."""

_FORM_PARAMS = (SWEPT_PARAM, "sampler", "aim", "points", "trials", "minutes", "early")
"""The URL parameters of the form itself, besides the current setup."""

SAMPLERS = {"grid": "Grid", "random": "Random", "tpe": "TPE", "nsga2": "NSGA-II"}
SAMPLER_HELP = {
    "grid": "All combinations of evenly spaced values: the clearest view of one or two hyperparameters.",
    "random": "Random settings: an unbiased view of many hyperparameters that does not adapt to results.",
    "tpe": "Tries more where trials were good (tree-structured Parzen estimators): finds good settings quickly.",
    "nsga2": "Recombines the best trials for two objectives (a genetic algorithm): a wide front after some 50 trials.",
}


def show() -> None:
    """The form, filled in from the current setup and the URL."""
    now = run_plan.resolve(url_state.current())
    st.title("Sweep hyperparameters", anchor=False)
    _about(now)
    if now.error is not None or now.setup.forget is None:
        st.warning(escape(now.error or "Nothing is selected to forget yet."), icon=":material/block:")
        run_bar.offer_methods(now)
        return
    names = _choose_hyperparameters(now)
    if not names:
        st.caption("Choose one hyperparameter to see its effect, or several to search for the best settings.")
        return
    ranges = range_inputs.show(now, names)
    has_gold = now.setup.start is None and GoldStore(open_data_dir()).exists(now.spec.request, 0)
    values = _choices(now, ranges, has_gold)
    try:
        spec = _spec(now, values)
        validate_sweep(spec, now.method, gold=has_gold)
    except ValidationError as problem:
        reason = str(problem.errors()[0]["msg"]).removeprefix("Value error, ")
        st.warning(escape(f"This sweep is not possible: {reason}."), icon=":material/block:")
    except UnlearnError as problem:
        st.warning(escape(problem), icon=":material/block:")
    else:
        _start(now, spec)


def sweep_params(hyperparameters: list[str]) -> dict[str, str]:
    """The URL parameters that open the form with these hyperparameters of the current method."""
    own = {SWEPT_PARAM: ",".join(hyperparameters)} if hyperparameters else {}
    return run_setup.to_params(url_state.current()) | own


def _about(current: RunPlan) -> None:
    """What every trial runs, and buttons to change it."""
    what = (
        escape(current.title().removeprefix("Forget "))
        if current.setup.forget is not None and not current.error
        else None
    )
    each = run_plan.forecast(current, current.method, current.first_try)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = f"Every trial is a run: **{escape(current.classifier.title)}** forgets {what}"
        cost = "" if each is None else f", {cost_estimate.in_words(each)} each"
        st.markdown(f"{text}{cost}." if what else f"**{escape(current.method.title)}**", width="content")
        st.space("stretch")
        for page, label, icon in (
            ("forget", "Forget something else", ":material/ink_eraser:"),
            ("method", "Change the method", ":material/tune:"),
        ):
            if st.button(label, type="tertiary", icon=icon, key=f"sweep-to-{page}"):
                url_state.open_page(page)


def _choose_hyperparameters(current: RunPlan) -> list[str]:
    """The hyperparameters to sweep, from the URL at first and then from the list; the URL follows."""
    hyperparameters = current.method.params.hyperparameters()
    able = {name: info for name, info in hyperparameters.items() if info.kind != "numbers"}
    key = f"sweep-knobs-{current.method.id}"
    with url_state.bound_list(key, SWEPT_PARAM, able, most=MAX_HYPERPARAMETERS):
        _keep_own_params(current)
        return st.multiselect(
            "Hyperparameters to sweep",
            list(able),
            format_func=lambda name: able[name].title,
            max_selections=MAX_HYPERPARAMETERS,
            placeholder=f"Choose from {len(able)} hyperparameters of {current.method.title}",
            key=key,
        )


def _keep_own_params(current: RunPlan) -> None:
    """Write the setup into the URL and remove other pages' parameters, so that a fresh browser opens the same."""
    own = {
        name: text
        for name, text in st.query_params.items()
        if name in (*_FORM_PARAMS, levels.LEVEL_PARAM) or name.endswith(range_inputs.RANGE_SUFFIX)
    }
    wanted = run_setup.to_params(current.setup) | own
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _choices(current: RunPlan, ranges: list[SearchRange], has_gold: bool) -> dict[str, Any]:
    """Sampler, objectives, budget and early stopping, as fields of the spec."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        sampler = _sampler("grid" if len(ranges) == 1 else "tpe")
    with middle:
        aims = _aims(has_gold)
        if not has_gold:
            _offer_gold(current)
    with right:
        budget = budget_inputs.grid_budget(ranges) if sampler == "grid" else budget_inputs.budget_inputs()
        with url_state.bound(
            "sweep-early", "early", default=True, parse=lambda text: text != "off", write=lambda _: "off"
        ):
            early = st.toggle(
                "Stop unpromising trials early",
                key="sweep-early",
                help="A trial ends when it is far behind the median of the finished trials at the same step of the "
                "same phase, in all objectives. Early stopping begins after five finished trials.",
            )
    return {"ranges": ranges, "sampler": sampler, "objectives": aims, "early": early} | budget


def _sampler(usual: str) -> str:
    key = f"sweep-sampler-{usual}"
    with url_state.bound(key, "sampler", default=usual, parse=lambda text: text if text in SAMPLERS else usual):
        sampler = st.segmented_control(
            "Sampler", list(SAMPLERS), format_func=SAMPLERS.__getitem__, required=True, wrap=True, key=key
        )
    assert sampler is not None  # the control is required
    st.caption(SAMPLER_HELP[sampler])
    return sampler


def _aims(has_gold: bool) -> list[str]:
    able = [name for name, one in OBJECTIVES.items() if has_gold or not one.needs_gold]
    usual, key = ["distance"] if has_gold else ["forget", "retain"], f"sweep-aims-{has_gold}"
    with url_state.bound_list(key, "aim", able, default=usual, most=2):
        aims = st.multiselect(
            "Objectives",
            able,
            format_func=lambda name: OBJECTIVES[name].title,
            max_selections=2,
            key=key,
            help="One or two. They are computed from training and validation images; test images are only shown.",
        )
    for name in aims:
        st.caption(OBJECTIVES[name].explanation)
    return aims


def _offer_gold(current: RunPlan) -> None:
    if current.setup.start is not None:
        st.caption(
            "A run that continues an earlier run has no retrained model, so only these objectives are available."
        )
        return
    st.caption(
        "There is no retrained model for this request yet, so its distance and the privacy score are not available."
    )
    retain = 0 if current.split is None else len(current.split.retain_train)
    forecast = None
    if current.classifier.recipe is not None:
        forecast = gold_actions.forecast(current.classifier, current.dataset, retain)
    cost = "" if forecast is None else f" ({cost_estimate.in_words(forecast)})"
    label = f"Train a retrained model in the background{cost}"
    pressed = st.button(label, type="tertiary", icon=":material/diamond:", key="sweep-gold")
    spec = TrainGoldSpec(request=current.spec.request)
    if cost_estimate.confirmed(forecast, pressed, job=spec.model_dump_json(), key="sweep-gold"):
        number = gold_actions.submit(spec, current.dataset)
        st.toast(f"Run {number} trains the retrained model when nothing more urgent is queued.")


def _spec(current: RunPlan, values: dict[str, Any]) -> SweepSpec:
    ranges = [one.model_dump() for one in values.pop("ranges")]
    run, params = current.spec, current.first_try.model_dump()
    fixed = {"request": run.request, "start": run.start, "method": run.method, "params": params, "seed": run.seed}
    return SweepSpec.model_validate(fixed | values | {"ranges": ranges})


def _start(current: RunPlan, spec: SweepSpec) -> None:
    each = run_plan.forecast(current, current.method, current.first_try)
    if spec.minutes is not None:
        forecast = Forecast(60 * spec.minutes, 60 * spec.minutes, measured=True)
        cost = f"up to {formatting.format_duration(60 * spec.minutes)} of work"
    else:
        forecast = None if each is None else each.times(spec.max_trials)
        cost = formatting.pluralize(spec.max_trials, "trial") + ("" if forecast is None else f", {forecast}")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Start the sweep", type="primary", icon=":material/play_arrow:", key="sweep-start")
        st.caption(f"{cost}. Other runs go first, and you can close this page meanwhile.", width="content")
    if cost_estimate.confirmed(forecast, pressed, job=spec.model_dump_json(), key="sweep-start"):
        number = cache.store().sweeps.submit(spec, title=current.title())
        lifespan.ensure_worker()
        st.switch_page(navigation.page("sweep"), query_params={SWEEP_PARAM: str(number)})
