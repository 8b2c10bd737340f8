"""The charts on the page of a sweep: a click on a point opens its run."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.drawing.sweep_drawing import SweepChart, SweepData
from unlearn_core.charts.sweep import (
    along_hyperparameter,
    contour,
    hyperparameter_importance,
    parallel,
    slices,
    tradeoff,
)
from unlearn_core.domain.sweeps import objectives
from unlearn_core.domain.sweeps.objectives import OBJECTIVES
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.sweep import small_multiples
from unlearn_core.ui.pages.sweep.former_titles import FORMER_HYPERPARAMETERS, FORMER_OBJECTIVES
from unlearn_core.ui.shell import drawings, url_state
from unlearn_core.ui.shell.markdown import escape


def show(sweep_data: SweepData, *, busy: bool) -> None:
    """All charts of a sweep that has a finished trial."""
    spec = sweep_data.sweep.spec
    params = [one.knob for one in spec.ranges]
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        _tradeoff(sweep_data, params)
    with right:
        if len(params) > 1:
            _chart(hyperparameter_importance.SWEEP_CHART, sweep_data)
        along = _pick("Hyperparameter", params, sweep_data, key="sweep-along-knob")
        _chart(along_hyperparameter.along_hyperparameter(along), sweep_data)
    if len(params) > 1:
        _chart(parallel.SWEEP_CHART, sweep_data, clicks=False)
        _slices(sweep_data, params)
        _contour(sweep_data, params)
    else:
        _other_objectives(sweep_data, params[0])
        small_multiples.show(sweep_data, params[0], busy=busy)


def _tradeoff(sweep_data: SweepData, hyperparameters: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        color = _pick("Colour", hyperparameters, sweep_data, key="sweep-colour")
        shown = st.segmented_control(
            "Images",
            ["validation", "test"],
            default="validation",
            required=True,
            key="sweep-pictures",
            bind="query-params",
            format_func=str.capitalize,
            help="The sweep chooses trials by validation images. Test images are only shown, never used to choose.",
        )
    _chart(tradeoff.colored_by(color, test=shown == "test"), sweep_data, note=" Click a point to open its run.")


def _pick(label: str, hyperparameters: Sequence[str], sweep_data: SweepData, *, key: str) -> str:
    """One of the hyperparameters; without a widget if there is only one."""
    if len(hyperparameters) == 1:
        return hyperparameters[0]
    url_state.accept_former_labels(key, FORMER_HYPERPARAMETERS)
    return st.selectbox(
        label, hyperparameters, format_func=sweep_data.hyperparameter_title, key=key, width=260, bind="query-params"
    )


def _objective(label: str, sweep_data: SweepData, *, key: str) -> str:
    """One of the objectives for which a trial has a value."""
    url_state.accept_former_labels(key, FORMER_OBJECTIVES)
    return st.selectbox(
        label,
        _measured(sweep_data),
        format_func=lambda one: OBJECTIVES[one].title,
        key=key,
        width=260,
        bind="query-params",
    )


def _chart(sweep_chart: SweepChart, sweep_data: SweepData, *, clicks: bool = True, note: str = "") -> None:
    """Title, question, figure, summary and caveat; or the reason why there is no figure."""
    chart_card.heading(sweep_chart)
    if _figure(sweep_chart, sweep_data, clicks=clicks, note=note):
        _caveat(sweep_chart, key=f"sweep-{sweep_data.sweep.id}-{sweep_chart.id}-caveat")


def _figure(sweep_chart: SweepChart, sweep_data: SweepData, *, clicks: bool = True, note: str = "") -> bool:
    """Figure and summary, or the reason why there is no figure; returns whether there is one."""
    answer = sweep_chart.applies(sweep_data)
    if answer is not True:
        st.caption(escape(answer))
        return False
    key = f"sweep-{sweep_data.sweep.id}-{sweep_chart.id}"
    drawing = drawings.sweep_chart(sweep_chart, sweep_data, chart_card.current_theme())
    st.plotly_chart(
        drawing.figure,
        theme=None,
        key=key,
        config=chart_card.plotly_config(key),
        alt=f"{sweep_chart.title}. {drawing.alt}",
        **(chart_card.opens_runs(key) if clicks else {}),
    )
    st.caption(escape(drawing.summary) + note)
    return True


def _caveat(sweep_chart: SweepChart, *, key: str) -> None:
    with st.popover("Caveat", icon=":material/info:", type="tertiary", key=key):
        st.markdown(sweep_chart.caveat)


def _measured(sweep_data: SweepData) -> list[str]:
    """The objectives for which a trial has a value, those of the sweep first."""
    order = dict.fromkeys((*sweep_data.sweep.spec.objectives, *OBJECTIVES))
    return [
        name
        for name in order
        if any(objectives.objective_value(name, trial.metrics) is not None for trial in sweep_data.done)
    ]


def _slices(sweep_data: SweepData, hyperparameters: Sequence[str]) -> None:
    """One objective over every hyperparameter."""
    chart_card.heading(slices.SWEEP_CHART)
    name = _objective("Objective", sweep_data, key="sweep-slice")
    board = st.grid(min(3, len(hyperparameters)), min_column_width=280, gap="medium")
    for param in hyperparameters:
        with board.cell():
            st.markdown(f"**{escape(sweep_data.hyperparameter_title(param))}**")
            _figure(slices.for_hyperparameter(param, name), sweep_data)
    _caveat(slices.SWEEP_CHART, key="sweep-slice-caveat")


def _contour(sweep_data: SweepData, hyperparameters: Sequence[str]) -> None:
    chart_card.heading(contour.SWEEP_CHART)
    with st.container(horizontal=True, gap="small"):
        first = _pick("Horizontal axis", hyperparameters, sweep_data, key="sweep-across")
        second = _pick(
            "Vertical axis", [own for own in hyperparameters if own != first], sweep_data, key=f"sweep-up-{first}"
        )
        name = _objective("Colour", sweep_data, key="sweep-map")
    with st.container(width=760):
        _figure(contour.for_hyperparameters((first, second), name), sweep_data)
    _caveat(contour.SWEEP_CHART, key="sweep-contour-caveat")


def _other_objectives(sweep_data: SweepData, hyperparameter: str) -> None:
    """All other objectives with values along the one hyperparameter, as small multiples."""
    st.header("Other objectives", anchor=False)
    names = [name for name in _measured(sweep_data) if name not in ("forget", "retain")]
    board = st.grid(3, min_column_width=280, gap="medium")
    for name in names:
        with board.cell():
            st.markdown(f"**{OBJECTIVES[name].title}**")
            _figure(slices.for_hyperparameter(hyperparameter, name), sweep_data)
