"""Input widgets for the hyperparameters of a method, made from their declarations."""

import math
from typing import Any

import streamlit as st

from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.shell import formatting, navigation, run_setup, url_state

SWEPT_PARAM = "knobs"
"""The query parameter of the sweep page that lists the swept hyperparameters."""

_MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def show(plan: RunPlan) -> None:
    """Draw the presets as chips, the basic hyperparameters in two columns, and the advanced ones folded.

    A first look has only the main ones and those that were changed.
    """
    _presets(plan)
    every = list(plan.method.params.hyperparameters().values())
    basic, advanced = [info for info in every if not info.advanced], [info for info in every if info.advanced]
    if levels.is_first_look():
        main = basic[: levels.MAIN_HYPERPARAMETERS]
        shown = [info for info in every if info in main or info.name in plan.setup.params]
        _draw_columns(shown, plan)
        if plan.setup.seed:
            _seed(plan)
        _offer_others(len(every) - len(shown))
        return
    _draw_columns(basic, plan)
    if advanced:
        changed = sum(info.name in plan.setup.params for info in advanced)
        count = formatting.pluralize(len(advanced), "hyperparameter")
        label = f"Advanced: {count}, {f'{changed} changed' if changed else 'all as in the preset'}"
        key, unfolded = f"advanced-{plan.method.id}", levels.is_expert()
        with st.expander(label, key=key, expanded=unfolded, bind="query-params"):
            _draw_columns(advanced, plan)
            _seed(plan)


def _offer_others(count: int) -> None:
    """Say how many hyperparameters a first look leaves out, with a button that shows them."""
    if count:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            others = formatting.pluralize(count, "more hyperparameter")
            st.caption(f"First look: {others}, {'all ' if count > 1 else ''}as in the preset.", width="content")
            levels.offer("Show all", key="all-hyperparameters")


def slider_stops(info: HyperparameterInfo, *also: float) -> list[float]:
    """The stops of a log slider: 1, 1.2, 1.5, 2 ... in each decade of its range, both ends, and the values `also`."""
    low, high = float(info.low or 0), float(info.high or 0)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stops = {float(f"{mantissa}e{decade}") for decade in decades for mantissa in _MANTISSAS}
    inside = {stop for stop in stops if low < stop < high}
    found = sorted(inside | {low, high, *also})
    return [int(stop) for stop in found if stop == int(stop)] if info.kind == "int" else found


def format_value(value: Any) -> str:
    """The value of a hyperparameter for people: "0.002", "1,000", "on"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _presets(plan: RunPlan) -> None:
    presets = plan.presets
    key = f"preset-{plan.method.id}"
    st.session_state[key] = plan.preset
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Preset",
            list(presets),
            format_func=lambda name: presets[name].title,
            required=True,
            wrap=True,
            key=key,
            help="A set of hyperparameters that belong together. Each of them can be changed below.",
            on_change=_apply_preset,
            args=(next(iter(presets)), key),
        )
        st.button(
            "Reset all hyperparameters",
            type="tertiary",
            icon=":material/restart_alt:",
            key="reset-all",
            disabled=not plan.setup.params,
            on_click=_reset_all,
        )
    st.caption(presets[plan.preset].summary)


def _draw_columns(hyperparameters: list[HyperparameterInfo], plan: RunPlan) -> None:
    board = st.grid(2, min_column_width=230, gap=("small", "medium"))
    for info in hyperparameters:
        with board.cell(), st.container(gap=None):
            _draw_hyperparameter(info, plan)


def _draw_hyperparameter(info: HyperparameterInfo, plan: RunPlan) -> None:
    preset = getattr(plan.preset_values, info.name)
    # An invalid value is not in the plan, but stays visible.
    value = plan.setup.params.get(info.name, getattr(plan.params, info.name))
    key = f"knob-{plan.method.id}-{info.name}"
    st.session_state[key] = value
    draw(info, value, preset, key=key, on_change=_set_value, args=(info.name, key, preset))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        said = f"preset {format_value(preset)} {unit(info, preset)}".strip()
        said = "found by the run" if info.name in plan.auto else said
        st.caption(said, width="content")
        st.space("stretch")
        if (
            not levels.is_first_look()
            and info.kind != "numbers"
            and st.button(
                "Sweep",
                type="tertiary",
                icon=":material/scatter_plot:",
                key=f"try-{key}",
                help="Sweep this hyperparameter: runs with values from its whole range, and the result of each.",
            )
        ):
            st.switch_page(
                navigation.page("sweep"),
                query_params=run_setup.to_params(url_state.current()) | {SWEPT_PARAM: info.name},
            )
        st.button(
            "Reset",
            type="tertiary",
            icon=":material/restart_alt:",
            key=f"reset-{key}",
            disabled=value == preset,
            on_click=_reset,
            args=(info.name,),
        )


def unit(info: HyperparameterInfo, value: Any) -> str:
    """The unit of a hyperparameter, in the singular for a value of 1."""
    return info.unit.removesuffix("s") if value == 1 else info.unit


def draw(info: HyperparameterInfo, value: Any, preset: Any, **wiring: Any) -> None:
    """The widget for a hyperparameter's kind and scale; its value is already in the session under its key."""
    symbol = f" · {info.symbol}" if info.symbol and not levels.is_first_look() else ""
    name = f" In code and links: `{info.name}`." if levels.is_expert() else ""
    wiring |= {"label": info.title + symbol, "help": info.explain + name}
    if info.kind == "bool":
        st.toggle(**wiring)
    elif info.kind == "choice":
        st.segmented_control(options=info.choices, required=True, wrap=True, **wiring)
    elif info.kind == "numbers":
        st.text_input(**wiring, placeholder="such as 1,2,2", max_chars=80)
    elif info.scale == "log":
        st.select_slider(options=slider_stops(info, value, preset), format_func=format_value, **wiring)
    elif info.kind == "int":
        st.slider(min_value=int(info.low or 0), max_value=int(info.high or 0), step=int(info.step or 1), **wiring)
    else:
        low, high = float(info.low or 0), float(info.high or 0)
        st.slider(min_value=low, max_value=high, step=info.step or (high - low) / 100, format="%g", **wiring)


def _seed(plan: RunPlan) -> None:
    st.session_state["seed"] = plan.setup.seed
    st.number_input(
        "Seed",
        min_value=0,
        max_value=2**31 - 1,
        key="seed",
        width=230,
        help="Determines the image order, the noise and all other randomness. The same seed repeats the result.",
        on_change=_apply_seed,
    )


def _apply_seed() -> None:
    url_state.change(seed=st.session_state["seed"])


def _reset_all() -> None:
    url_state.change(params={})


def _apply_preset(first: str, key: str) -> None:
    name = st.session_state[key]
    url_state.change(preset="" if name == first else name, params={})


def _set_value(name: str, key: str, preset: Any) -> None:
    value = st.session_state[key]
    others = {other: item for other, item in url_state.current().params.items() if other != name}
    url_state.change(params=others if value == preset else others | {name: value})


def _reset(name: str) -> None:
    params = url_state.current().params
    url_state.change(params={other: value for other, value in params.items() if other != name})
