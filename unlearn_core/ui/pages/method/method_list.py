"""The methods to choose from, and the card of the chosen one."""

from itertools import groupby

import streamlit as st

from unlearn_core import methods
from unlearn_core.domain.method import Method
from unlearn_core.ui.components import run_bar
from unlearn_core.ui.components import run_plan as planning
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

_UNFOLDED = "group unfolded"
_KINDS = {"classes": "whole classes", "images": "single images"}


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


def card(plan: RunPlan) -> None:
    """The chosen method: its name, what it supports and needs, its paper, and its idea."""
    method = plan.method
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(method.title, anchor=False, width="content")
        for kind, words in _KINDS.items():
            if kind in method.supports:
                st.badge(words, color="blue")
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


def _entry(method: Method, plan: RunPlan) -> None:
    chosen = method.id == plan.method.id
    usual = methods.preset(method, plan.classifier.id, "")
    params = plan.params if chosen else usual.for_request(plan.setup.forget)
    able = plan.setup.by in method.supports
    cost = planning.forecast(plan, method, params, auto=plan.auto if chosen else usual.auto)
    with st.container(gap=None, key=f"entry-{method.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.button(
                f"**{method.title}**" if chosen else method.title,
                type="tertiary",
                icon=":material/radio_button_checked:" if chosen else ":material/radio_button_unchecked:",
                key=f"choose-{method.id}",
                on_click=_choose,
                args=(method.id,),
            )
            st.caption(run_bar.format_cost(cost) if able else "", width="content")
        st.caption(method.summary if able else f"cannot forget {_KINDS[plan.setup.by]}")


def _choose(method: str) -> None:
    if method != url_state.current().method:
        url_state.change(method=method, preset="", params={})
