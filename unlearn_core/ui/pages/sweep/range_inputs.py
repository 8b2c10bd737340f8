"""Between which ends each knob is swept: a slider with two ends, or a choice of values, all from its declaration."""

from math import isfinite
from typing import Any

import streamlit as st

from unlearn_core.domain.params import Knob
from unlearn_core.domain.search_space import Range, range_of
from unlearn_core.ui.components.hyperparameter_inputs import grid, shown, unit
from unlearn_core.ui.components.run_plan import Plan
from unlearn_core.ui.shell import url_state

RANGE = ".range"
"""How the address calls what is tried of a knob: `lr.range=0.001~0.1`."""


def show(now: Plan, names: list[str]) -> list[Range]:
    """A slider with two ends, or a choice of values, for each knob."""
    knobs, found = now.method.params.knobs(), []
    board = st.grid(2, min_column_width=260, gap=("small", "medium"))
    for name in names:
        usual = range_of(knobs[name], getattr(now.knobs, name))
        assert usual is not None  # a list of numbers is not offered
        with board.cell():
            found.append(_range(knobs[name], usual, getattr(now.knobs, name), key=f"sweep-{now.method.id}-{name}"))
    return found


def _range(knob: Knob, usual: Range, value: Any, *, key: str) -> Range:
    label = knob.title + (f" · {knob.symbol}" if knob.symbol else "")
    wiring: dict[str, Any] = {"label": label, "help": knob.explain, "key": key}
    name = knob.name + RANGE
    if usual.is_choice:
        url_state.follow(
            key, name, lambda text: [one for one in usual.values if not text or shown(one) in text.split(",")]
        )
        picked = st.pills(options=usual.values, selection_mode="multi", format_func=shown, **wiring)
        url_state.say(key, name, "" if len(picked) == len(usual.values) else ",".join(map(shown, picked)))
        # What it takes at the least is said by the spec, so that the sentence is the same everywhere.
        return usual.model_copy(update={"values": tuple(one for one in usual.values if one in picked) or ("",)})
    assert usual.low is not None
    stops = grid(knob, usual.low, usual.top) if usual.log else None
    usually = _fitted(knob, usual.low, usual.top, stops)
    began = f"{key} began"
    if key not in st.session_state:  # A slider has two ends only if it is told so by its value, which must not change.
        st.session_state[began] = _ends(knob, st.query_params.get(name, ""), stops) or usually
    wiring["value"] = st.session_state[began]
    if stops is not None:
        ends = st.select_slider(options=stops, format_func=shown, **wiring)
    elif usual.whole:
        low, high = int(knob.low or 0), int(knob.high or 0)
        ends = st.slider(min_value=low, max_value=high, step=int(knob.step or 1), **wiring)
    else:
        low, high = float(knob.low or 0), float(knob.high or 0)
        ends = st.slider(min_value=low, max_value=high, step=knob.step or (high - low) / 100, format="%g", **wiring)
    url_state.say(key, name, "" if tuple(ends) == usually else f"{ends[0]:g}~{ends[1]:g}")
    st.caption(f"stands at {shown(value)} {unit(knob, value)}".strip())
    return usual.model_copy(update={"low": float(ends[0]), "high": float(ends[1])})


def _ends(knob: Knob, text: str, stops: list[float] | None) -> tuple[Any, Any] | None:
    """Both ends from an address, which anybody may have written; None where it says nothing that makes sense."""
    try:
        low, high = (float(part) for part in text.split("~"))
    except ValueError:
        return None
    return _fitted(knob, low, high, stops) if isfinite(low) and isfinite(high) and low <= high else None


def _fitted(knob: Knob, low: float, high: float, stops: list[float] | None) -> tuple[Any, Any]:
    """Two ends as the slider knows them: of its stops, whole where the knob is, and inside its bounds."""
    if stops is not None:
        return _near(stops, low), _near(stops, high)
    least, most = float(knob.low or 0), float(knob.high or 0)
    inside = [min(max(end, least), most) for end in (low, high)]
    one, other = (round(end) if knob.kind == "int" else end for end in inside)
    return one, other


def _near(stops: list[float], wanted: float) -> float:
    return min(stops, key=lambda stop: abs(stop - wanted))
