"""The methods to choose from, by idea or in one table, and the card of the chosen one."""

from itertools import groupby
from math import inf

import pandas as pd
import streamlit as st

from unlearn_core import methods
from unlearn_core.domain.method import DataAccess, Method, RequestKind, kind_title
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.ui.components import run_bar
from unlearn_core.ui.components import run_plan as planning
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.guidance import glossary
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

_UNFOLDED = "group unfolded"
_KINDS: tuple[RequestKind, ...] = ("classes", "images")
_VIEW = "methods-shown"
BY_IDEA, IN_TABLE = "By idea", "In one table"
"""The ways to list the methods: labels of the switch, which are written into the URL."""


def view() -> str:
    """The switch between the two lists; the table needs the whole width."""
    return st.segmented_control(
        "List of methods",
        (BY_IDEA, IN_TABLE),
        default=BY_IDEA,
        required=True,
        key=_VIEW,
        bind="query-params",
        label_visibility="collapsed",
    )


def show(plan: RunPlan) -> None:
    """All methods, grouped by idea; an unfolded group shows one line per method with its cost here.

    Only the group of the chosen method is unfolded: on a phone the hyperparameters are below this list.
    """
    ordered = sorted(methods.methods().values(), key=lambda method: (method.group == "Baselines", method.group))
    with st.container(gap="xsmall"):
        for group, found in groupby(ordered, key=lambda method: method.group):
            members = list(found)
            names = ", ".join(escape(method.title) for method in members)
            with st.expander(f"**{group}** · {names}", key=_fold(group, plan), on_change="rerun"):
                for method in members:
                    _entry(method, plan)
    st.session_state[_UNFOLDED] = plan.method.group


def table(plan: RunPlan) -> None:
    """All methods in one table, the quickest first; the heads of its columns sort it, and a click chooses a method."""
    costs = {name: _cost(method, plan) for name, method in methods.methods().items()}
    names = sorted(costs, key=lambda name: inf if (cost := costs[name]) is None else cost.high)
    rows = [_row(methods.method(name), costs[name], plan) for name in names]
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=glossary.column_help(rows[0]) | {_SECONDS: st.column_config.NumberColumn(format="localized")},
        height="content",
        placeholder="–",
        lazy=False,
        key=f"methods-{plan.method.id}",
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [names.index(plan.method.id)]}},
        alt="All methods: idea, what they can forget, what data they need, and the time that a run takes here",
    )
    for row in event["selection"]["rows"]:
        if names[row] != plan.method.id:
            url_state.choose_method(names[row])
            st.rerun()
    selected = kind_title(plan.setup.by, plan.dataset.item_noun)
    st.caption(
        f"A click on the head of a column sorts by it. {_SECONDS}: the upper end of the range in which nine of ten "
        f"runs end; a dash where the method cannot forget {selected} or nothing is selected."
    )


_SECONDS = "Seconds here, at most"


def _row(method: Method, cost: Forecast | None, plan: RunPlan) -> dict[str, str | int | None]:
    needs = method.needs(_settings(method, plan)[0])
    return {
        "Method": method.title,
        "Idea": method.group,
        "Forgets": " and ".join(kind_title(kind, plan.dataset.item_noun) for kind in _KINDS if kind in method.supports),
        "Needs": _needs(needs),
        _SECONDS: None if cost is None else round(cost.high),
    }


def _needs(needs: DataAccess) -> str:
    """The sets that a method trains on, in words that sort together."""
    named = {"forget": needs.forget, "retain": needs.retain}
    return " and ".join(name for name, used in named.items() if used) + " set" if any(named.values()) else "no images"


def card(plan: RunPlan) -> None:
    """The chosen method: its name, what it supports and needs, its paper, and its idea."""
    method = plan.method
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(method.title, anchor=False, width="content")
        for kind in _KINDS:
            if kind in method.supports:
                st.badge(kind_title(kind, plan.dataset.item_noun), color="blue")
        needs = method.needs(plan.params)
        if needs.forget:
            st.badge("uses the forget set", icon=":material/visibility:", color="orange")
        else:
            st.badge("needs no forget data", icon=":material/visibility_off:", color="green")
        st.space("stretch")
        st.link_button(
            "Paper", method.paper.url, type="tertiary", icon=":material/description:", help=method.paper.title
        )
    st.markdown(method.idea)


def failure_modes(plan: RunPlan) -> None:
    """When the chosen method does not work."""
    st.markdown(f"**When it fails.** {plan.method.failure_modes}")


def _fold(group: str, plan: RunPlan) -> str:
    """The key of a group's fold, whose state is reset when a method of another group is chosen."""
    key = f"group-{group}"
    if key not in st.session_state or st.session_state.get(_UNFOLDED) != plan.method.group:
        st.session_state[key] = group == plan.method.group
    return key


def _settings(method: Method, plan: RunPlan) -> tuple[BaseHyperparameters, tuple[str, ...]]:
    """The hyperparameters that a run of this method would have, and those that it would find itself."""
    if method.id == plan.method.id:
        return plan.params, plan.auto
    usual = methods.preset(method, plan.classifier.id, "")
    return usual.for_request(plan.setup.forget), usual.auto


def _cost(method: Method, plan: RunPlan) -> Forecast | None:
    """The time of a run here; None where the method cannot forget what is selected, or nothing is."""
    if plan.setup.by not in method.supports:
        return None
    params, auto = _settings(method, plan)
    return planning.forecast(plan, method, params, auto=auto)


def _entry(method: Method, plan: RunPlan) -> None:
    chosen = method.id == plan.method.id
    able = plan.setup.by in method.supports
    with st.container(gap=None, key=f"entry-{method.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.button(
                f"**{method.title}**" if chosen else method.title,
                type="tertiary",
                icon=":material/radio_button_checked:" if chosen else ":material/radio_button_unchecked:",
                key=f"choose-{method.id}",
                on_click=url_state.choose_method,
                args=(method.id,),
            )
            st.caption(run_bar.format_cost(_cost(method, plan)) if able else "", width="content")
        st.caption(method.summary if able else f"cannot forget {kind_title(plan.setup.by, plan.dataset.item_noun)}")
