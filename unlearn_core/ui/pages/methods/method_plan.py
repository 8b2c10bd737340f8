"""What the comparison of all methods on a request would run, what of it exists, and the button that queues the rest."""

from dataclasses import replace
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from unlearn_core import methods
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import describe_forget_set, gold_title
from unlearn_core.domain.run import Run, RunState
from unlearn_core.engine.forecasts.duration import Forecast, total
from unlearn_core.engine.method_comparison import compare_methods
from unlearn_core.ui.components import cost_estimate, gold_actions, run_plan
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, run_setup
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.run_setup import RunSetup


class MethodPlan(NamedTuple):
    """All methods on one request. `specs` and `left_out` are by the titles of the methods.

    `gold` is the retrained model that is missing and can be trained; `request` is the plan of one of the runs.
    """

    request: RunPlan
    specs: dict[str, UnlearnSpec]
    left_out: dict[str, str]
    gold: TrainGoldSpec | None

    @property
    def forget_request(self) -> ForgetRequest:
        """What all runs forget."""
        return next(iter(self.specs.values())).request

    @property
    def forgotten(self) -> str:
        """The forget set in words."""
        return describe_forget_set(self.forget_request.forget, self.request.dataset)

    def runs(self) -> dict[str, Run]:
        """The run of each method, as far as there is one."""
        found = cache.store().method_runs.runs_of(self.specs.values())
        return {title: run for title, run in zip(self.specs, found, strict=True) if run is not None}


def resolve(setup: RunSetup) -> MethodPlan | None:
    """The comparison for a setup; None while nothing is selected. Raises NotFoundError for an unknown classifier."""
    if setup.forget is None:
        return None
    request = ForgetRequest(classifier=setup.classifier, dataset=setup.dataset, forget=setup.forget)
    comparison = compare_methods(request, seed=setup.seed, start=setup.start)
    titles = {method.id: method.title for method in methods.methods().values()}
    plan = run_plan.resolve(replace(setup, method=next(iter(comparison.specs)), preset="", params={}))
    gold = TrainGoldSpec(request=request)
    can_train = plan.error is None and setup.start is None and plan.classifier.recipe is not None
    return MethodPlan(
        plan,
        {titles[name]: spec for name, spec in comparison.specs.items()},
        {titles[name]: reason for name, reason in comparison.left_out.items()},
        gold if can_train and not gold_actions.exists(gold) else None,
    )


def offer(setup: RunSetup, *, primary: bool = False, question: DeltaGenerator | None = None) -> None:
    """Show the button that queues all methods which have not been run, and opens their comparison.

    If that may take hours, it asks before, in the container `question` if the button is in a row.
    """
    plan = resolve(setup)
    if plan is None or plan.request.error is not None:
        reason = "Nothing is selected yet." if plan is None else escape(plan.request.error or "")
        st.button(_LABEL, icon=_ICON, key=_KEY, disabled=True, help=reason)
        return
    missing = _missing(plan, plan.runs())
    pressed = st.button(
        _LABEL if len(missing) in (0, len(plan.specs)) else f"Run the {len(missing)} missing",
        type="primary" if primary else "secondary",
        icon=_ICON,
        key=_KEY,
        help=_cost(plan, missing),
    )
    if not pressed and not cost_estimate.is_asked(_KEY):
        return  # The forecast of all methods takes a tenth of a page's time.
    job = run_setup.request_params(setup)
    with question or st.container():
        confirmed = cost_estimate.confirmed(_forecast(plan, missing), pressed, job=str(job), key=_KEY)
    if confirmed:
        _submit(plan)
        st.switch_page(navigation.page("methods"), query_params=job)


def cost(plan: MethodPlan) -> str:
    """What the button queues and how long that takes, in a sentence or two."""
    missing = _missing(plan, plan.runs())
    if not missing and plan.gold is None:
        return _cost(plan, missing)
    return f"{_cost(plan, missing)} Expected time: {cost_estimate.in_words(_forecast(plan, missing))}."


def is_incomplete(plan: MethodPlan, runs: dict[str, Run]) -> bool:
    """Whether a method has no run, or one that failed or was cancelled."""
    return bool(_missing(plan, runs))


_LABEL, _ICON, _KEY = "Try every method", ":material/leaderboard:", "every-method"


def _missing(plan: MethodPlan, runs: dict[str, Run]) -> dict[str, UnlearnSpec]:
    """The specs that have no run, or one that failed or was cancelled."""
    lost = (RunState.FAILED, RunState.CANCELLED)
    return {title: spec for title, spec in plan.specs.items() if title not in runs or runs[title].state in lost}


def _forecast(plan: MethodPlan, missing: dict[str, UnlearnSpec]) -> Forecast | None:
    """How long the missing runs take one after another, and the training of the retrained model; None if unknown."""
    found: list[Forecast | None] = []
    for spec in missing.values():
        method = methods.method(spec.method)
        found.append(run_plan.forecast(plan.request, method, method.params.parse(spec.params), auto=spec.auto))
    if plan.gold is not None and plan.request.remaining is not None:
        retain = len(plan.request.remaining.retain_train)
        found.append(gold_actions.forecast(plan.request.classifier, plan.request.dataset, retain))
    return total(found) if found else Forecast(0.0, 0.0, measured=True)


def _cost(plan: MethodPlan, missing: dict[str, UnlearnSpec]) -> str:
    if not missing and plan.gold is None:
        return "All runs exist already: nothing is queued."
    what = formatting.pluralize(len(missing), "run")
    gold = ", and the training of the retrained model" if plan.gold is not None else ""
    return f"Queues {what}, each with the preset `auto`{gold}. Runs that exist already are used as they are."


def _submit(plan: MethodPlan) -> None:
    """Queue what is missing, all of it or nothing."""
    wanted: dict[str, UnlearnSpec | TrainGoldSpec] = {
        f"Forget {plan.forgotten} with {title}": spec for title, spec in plan.specs.items()
    }
    if plan.gold is not None:
        wanted[gold_title(plan.gold, plan.request.dataset)] = plan.gold
    cache.store().method_runs.submit(wanted)
    lifespan.ensure_worker()
