"""Between which ends each knob is swept: a slider with two ends, or a choice of values, all from its declaration."""

from typing import Any

import streamlit as st

from unlearn_core.domain.params import Knob
from unlearn_core.domain.ranges import Range, range_of
from unlearn_core.ui.knobs import grid, shown, unit
from unlearn_core.ui.plan import Plan


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
    if usual.is_choice:
        picked = st.pills(
            options=usual.values, default=usual.values, selection_mode="multi", format_func=shown, **wiring
        )
        # What it takes at the least is said by the spec, so that the sentence is the same everywhere.
        return usual.model_copy(update={"values": tuple(one for one in usual.values if one in picked) or ("",)})
    assert usual.low is not None
    if usual.log:
        stops = grid(knob, usual.low, usual.top)
        ends = st.select_slider(
            options=stops, value=(_near(stops, usual.low), _near(stops, usual.top)), format_func=shown, **wiring
        )
    elif usual.whole:
        ends = st.slider(
            min_value=int(knob.low or 0),
            max_value=int(knob.high or 0),
            value=(int(usual.low), int(usual.top)),
            step=int(knob.step or 1),
            **wiring,
        )
    else:
        low, high = float(knob.low or 0), float(knob.high or 0)
        step = knob.step or (high - low) / 100
        ends = st.slider(min_value=low, max_value=high, value=(usual.low, usual.top), step=step, format="%g", **wiring)
    st.caption(f"stands at {shown(value)} {unit(knob, value)}".strip())
    return usual.model_copy(update={"low": float(ends[0]), "high": float(ends[1])})


def _near(stops: list[float], wanted: float) -> float:
    return min(stops, key=lambda stop: abs(stop - wanted))
