"""Form inputs for the budget of a sweep: trials, minutes of work, or the points of a grid."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.domain.sweeps.search_space import MAX_POINTS, SearchRange
from unlearn_core.domain.sweeps.sweep import MAX_MINUTES, MAX_TRIALS
from unlearn_core.ui.shell import url_state

_POINTS = {1: 8, 2: 4}
"""Default grid points per hyperparameter, by the number of hyperparameters."""


def grid_budget(ranges: Sequence[SearchRange]) -> dict[str, Any]:
    """The resolution of a grid, as fields of the spec; its size is the budget."""
    points = _number(
        "Points per hyperparameter",
        "points",
        low=2,
        high=MAX_POINTS,
        usual=_POINTS.get(len(ranges), 3),
        key=f"sweep-points-{len(ranges)}",
        hint="Evenly spaced over the range; for a choice, all its values are used.",
    )
    finer = [one.model_copy(update={"points": points}) for one in ranges]
    size = 1
    for one in finer:
        size *= len(one.grid_values()) if one.values or (one.low or 0) < one.last_value else 1
    if size > MAX_TRIALS:
        st.caption(f"The full grid has {size:,} trials; {MAX_TRIALS} of them are run, chosen at random.")
    return {"ranges": finer, "trials": max(2, min(size, MAX_TRIALS))}


def budget_inputs() -> dict[str, Any]:
    """A number of trials or of minutes, as fields of the spec."""
    if "sweep-budget" not in st.session_state:
        st.session_state["sweep-budget"] = "minutes" if "minutes" in st.query_params else "trials"
    kind = st.segmented_control(
        "Budget", ["trials", "minutes"], required=True, key="sweep-budget", format_func=str.capitalize
    )
    assert kind is not None  # the control is required
    url_state.set_param("trials" if kind == "minutes" else "minutes", "")
    if kind == "minutes":
        key = "sweep-minutes"
        return {"minutes": _number("Minutes of work", kind, low=1, high=int(MAX_MINUTES), usual=10, key=key)}
    return {"trials": _number("Trials", kind, low=2, high=MAX_TRIALS, usual=24, key="sweep-trials")}


def _number(label: str, name: str, *, low: int, high: int, usual: int, key: str, hint: str | None = None) -> int:
    """A whole number that the URL holds unless it is the default."""

    def read(text: str) -> int:
        return min(max(int(text), low), high) if text.isascii() and text.isdecimal() and len(text) < 6 else usual

    with url_state.bound(key, name, default=usual, parse=read):
        return int(st.number_input(label, min_value=low, max_value=high, key=key, help=hint))
