"""Form inputs for the search ranges: a range slider or a choice of values per hyperparameter, from its declaration."""

from math import isfinite
from typing import Any

import streamlit as st

from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.domain.sweeps.search_space import SearchRange, suggested_range
from unlearn_core.ui.components.hyperparameter_inputs import format_value, slider_stops, unit
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import url_state

RANGE_SUFFIX = ".range"
"""The suffix of the URL parameter of a search range: `lr.range=0.001~0.1`."""


def show(current: RunPlan, hyperparameters: list[str]) -> list[SearchRange]:
    """A range slider or a choice of values for each hyperparameter."""
    infos, found = current.method.params.hyperparameters(), []
    board = st.grid(2, min_column_width=260, gap=("small", "medium"))
    for name in hyperparameters:
        value = getattr(current.first_try, name)
        usual = suggested_range(infos[name], value)
        assert usual is not None  # lists of numbers are not offered
        with board.cell():
            found.append(_range(infos[name], usual, value, key=f"sweep-{current.method.id}-{name}"))
    return found


def _range(info: HyperparameterInfo, usual: SearchRange, value: Any, *, key: str) -> SearchRange:
    label = info.title + (f" · {info.symbol}" if info.symbol else "")
    wiring: dict[str, Any] = {"label": label, "help": info.explain, "key": key}
    name = info.name + RANGE_SUFFIX
    if usual.is_choice:
        with url_state.bound(
            key,
            name,
            default=list(usual.values),
            parse=lambda text: [one for one in usual.values if format_value(one) in text.split(",")],
            write=lambda picked: "" if len(picked) == len(usual.values) else ",".join(map(format_value, picked)),
        ):
            picked = st.pills(options=usual.values, selection_mode="multi", format_func=format_value, **wiring)
        # The spec checks the minimum, so that the message is the same everywhere.
        return usual.model_copy(update={"values": tuple(one for one in usual.values if one in picked) or ("",)})
    assert usual.low is not None
    stops = slider_stops(info, usual.low, usual.last_value) if usual.log else None
    usually = _fitted(info, usual.low, usual.last_value, stops)
    began = f"{key} began"
    if key not in st.session_state:  # The initial value makes it a range slider, and it must not change later.
        st.session_state[began] = _ends(info, st.query_params.get(name, ""), stops) or usually
    wiring["value"] = st.session_state[began]
    if stops is not None:
        ends = st.select_slider(options=stops, format_func=format_value, **wiring)
    elif usual.whole:
        low, high = int(info.low or 0), int(info.high or 0)
        ends = st.slider(min_value=low, max_value=high, step=int(info.step or 1), **wiring)
    else:
        low, high = float(info.low or 0), float(info.high or 0)
        ends = st.slider(min_value=low, max_value=high, step=info.step or (high - low) / 100, format="%g", **wiring)
    url_state.set_param(name, "" if tuple(ends) == usually else f"{ends[0]:g}~{ends[1]:g}")
    st.caption(f"current value: {format_value(value)} {unit(info, value)}".strip())
    return usual.model_copy(update={"low": float(ends[0]), "high": float(ends[1])})


def _ends(info: HyperparameterInfo, text: str, stops: list[float] | None) -> tuple[Any, Any] | None:
    """Both ends from the untrusted URL; None if they are not valid."""
    try:
        low, high = (float(part) for part in text.split("~"))
    except ValueError:
        return None
    return _fitted(info, low, high, stops) if isfinite(low) and isfinite(high) and low <= high else None


def _fitted(info: HyperparameterInfo, low: float, high: float, stops: list[float] | None) -> tuple[Any, Any]:
    """Two ends that the slider accepts: among its stops, whole if the hyperparameter is, and within its bounds."""
    if stops is not None:
        return _near(stops, low), _near(stops, high)
    least, most = float(info.low or 0), float(info.high or 0)
    inside = [min(max(end, least), most) for end in (low, high)]
    one, other = (round(end) if info.kind == "int" else end for end in inside)
    return one, other


def _near(stops: list[float], wanted: float) -> float:
    return min(stops, key=lambda stop: abs(stop - wanted))
