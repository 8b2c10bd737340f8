"""The charts of a sweep on its page: a click on a point opens its run."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts.drawing.sweep_drawing import SweepChart, Swept
from unlearn_core.charts.sweep import (
    along_hyperparameter,
    contour,
    hyperparameter_importance,
    parallel,
    slices,
    tradeoff,
)
from unlearn_core.domain import objectives
from unlearn_core.domain.objectives import OBJECTIVES
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.sweep import small_multiples
from unlearn_core.ui.shell.markdown import escape

OPENED = "run of a point"
"""Where the run lies that somebody has just clicked on, until the page has gone there."""


def show(swept: Swept, *, busy: bool) -> None:
    """All charts of a sweep that has a finished trial."""
    spec = swept.sweep.spec
    knobs = [one.knob for one in spec.ranges]
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        _tradeoff(swept, knobs)
    with right:
        if len(knobs) > 1:
            _chart(hyperparameter_importance.SWEEP_CHART, swept)
        knob = _pick("Along which knob?", knobs, swept, key="sweep-along-knob")
        _chart(along_hyperparameter.along(knob), swept)
    if len(knobs) > 1:
        _chart(parallel.SWEEP_CHART, swept, clicks=False)
        _slices(swept, knobs)
        _contour(swept, knobs)
    else:
        _figures(swept, knobs[0])
        small_multiples.show(swept, knobs[0], busy=busy)


def _tradeoff(swept: Swept, knobs: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        knob = _pick("Colour", knobs, swept, key="sweep-colour")
        shown = st.segmented_control(
            "Pictures",
            ["validation", "test"],
            default="validation",
            required=True,
            key="sweep-pictures",
            bind="query-params",
            format_func=str.capitalize,
            help="The sweep chooses by validation pictures. Test pictures are shown, and nothing is chosen by them.",
        )
    _chart(tradeoff.coloured(knob, test=shown == "test"), swept, note=" Click a point to open its run.")


def _pick(label: str, knobs: Sequence[str], swept: Swept, *, key: str) -> str:
    """One of the knobs; nothing to choose where there is one."""
    if len(knobs) == 1:
        return knobs[0]
    return st.selectbox(label, knobs, format_func=swept.title, key=key, width=260, bind="query-params")


def _objective(label: str, swept: Swept, *, key: str) -> str:
    """One of the figures that some trial has."""
    return st.selectbox(
        label,
        _measured(swept),
        format_func=lambda one: OBJECTIVES[one].title,
        key=key,
        width=260,
        bind="query-params",
    )


def _chart(one: SweepChart, swept: Swept, *, clicks: bool = True, note: str = "", heading: str | None = None) -> None:
    """Question, figure, sentence and caveat; or the reason why there is none."""
    st.subheader(heading or one.title, anchor=False)
    answer = one.applies(swept)
    if answer is not True:
        st.caption(escape(answer))
        return
    key = f"sweep-{swept.sweep.id}-{one.id}"
    wiring: dict[str, Any] = {"on_select": lambda: _clicked(key), "selection_mode": "points"} if clicks else {}
    st.plotly_chart(
        one.figure(swept, chart_card.theme()),
        theme=None,
        key=key,
        config=chart_card.config(key),
        alt=f"{one.title} {one.alt(swept)}",
        **wiring,
    )
    st.caption(escape(one.sentence(swept)) + note)
    with st.popover("Caveat", icon=":material/info:", type="tertiary", key=f"{key}-caveat"):
        st.markdown(one.caveat)


def _clicked(key: str) -> None:
    """Remembers the run of the point that was clicked; the page goes there when it is drawn next."""
    points = st.session_state[key]["selection"]["points"]
    found = points[0].get("customdata") if points else None
    run = found[0] if isinstance(found, list | tuple) else found
    if run is not None:
        st.session_state[OPENED] = int(run)


def _measured(swept: Swept) -> list[str]:
    """The objectives that some trial has a figure of, those that were aimed at first."""
    order = dict.fromkeys((*swept.sweep.spec.objectives, *OBJECTIVES))
    return [name for name in order if any(objectives.value(name, trial.headline) is not None for trial in swept.done)]


def _slices(swept: Swept, knobs: Sequence[str]) -> None:
    """One figure over every knob."""
    st.subheader(slices.SWEEP_CHART.title, anchor=False)
    name = _objective("Figure", swept, key="sweep-slice")
    board = st.grid(min(3, len(knobs)), min_column_width=280, gap="medium")
    for knob in knobs:
        with board.cell():
            _small(slices.about(knob, name), swept, f"**{escape(swept.title(knob))}**")
    with st.popover("Caveat", icon=":material/info:", type="tertiary", key="sweep-slice-caveat"):
        st.markdown(slices.SWEEP_CHART.caveat)


def _small(one: SweepChart, swept: Swept, heading: str) -> None:
    st.markdown(heading)
    answer = one.applies(swept)
    if answer is not True:
        st.caption(escape(answer))
        return
    key = f"sweep-{swept.sweep.id}-{one.id}"
    st.plotly_chart(
        one.figure(swept, chart_card.theme()),
        theme=None,
        key=key,
        on_select=lambda: _clicked(key),
        selection_mode="points",
        config=chart_card.config(key),
        alt=f"{one.title}. {one.alt(swept)}",
    )
    st.caption(escape(one.sentence(swept)))


def _contour(swept: Swept, knobs: Sequence[str]) -> None:
    st.subheader(contour.SWEEP_CHART.title, anchor=False)
    with st.container(horizontal=True, gap="small"):
        first = _pick("Across", knobs, swept, key="sweep-across")
        second = _pick("Up", [knob for knob in knobs if knob != first], swept, key=f"sweep-up-{first}")
        name = _objective("Colour", swept, key="sweep-map")
    with st.container(width=760):
        _small(contour.about((first, second), name), swept, "")
    with st.popover("Caveat", icon=":material/info:", type="tertiary", key="sweep-contour-caveat"):
        st.markdown(contour.SWEEP_CHART.caveat)


def _figures(swept: Swept, knob: str) -> None:
    """Everything that was measured, along the one knob: small multiples of one figure each."""
    st.subheader("And everything else?", anchor=False)
    names = [name for name in _measured(swept) if name not in ("forget", "retain")]
    board = st.grid(3, min_column_width=280, gap="medium")
    for name in names:
        with board.cell():
            _small(slices.about(knob, name), swept, f"**{OBJECTIVES[name].title}**")
