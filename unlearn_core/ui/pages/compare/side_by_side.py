"""One chart, or one picture, of every run: figures side by side on one scale, under one another where it is narrow."""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart, names
from unlearn_core.charts.drawing import heatmap_rows, highlight
from unlearn_core.charts.drawing.selection import Focus
from unlearn_core.charts.report import gradcam
from unlearn_core.domain.jobs import Look
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.data_folder import home
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.components import heatmap_grid as rows_of
from unlearn_core.ui.pages.compare import selection as following
from unlearn_core.ui.report import explain
from unlearn_core.ui.shell import cache, formatting, lifespan
from unlearn_core.ui.shell.markdown import escape

PLACE = "compare"
NARROWEST = 300
"""Pixels below which a figure of its own is not worth looking at; then the next one goes beneath."""


def show(name: str, found: Sequence[Report], followed: Focus) -> None:
    """One chart of all runs, each with its sentence, or with the reason why it has none."""
    one = charts()[name]
    st.subheader(one.title, anchor=False)
    if one.variants and any(one.applies(report) is True for report in found):
        one = chart_card.chosen(one, place=PLACE, first="after" if name == "confusion" else None)
    able = [report for report in found if one.applies(report) is True]
    drawn = iter(cache.figures(one, able, chart_card.theme()) if able else ())
    # Four would be too narrow beside one another: two by two.
    grid = st.grid(2 if len(found) in (2, 4) else len(found), min_column_width=NARROWEST, gap="medium")
    for report, title in zip(found, names(found), strict=True):
        with grid.cell():
            st.markdown(f"**{escape(title)}**")
            why = one.applies(report)
            if why is True:
                _figure(one, report, next(drawn), followed, found)
                st.caption(one.sentence(report))
            else:
                st.caption(escape(why))
    if able:
        chart_card.foot(one, able, place=PLACE)


def picture(found: Sequence[Report], followed: Focus) -> None:
    """Where all runs look in one picture, on one scale, and the gallery to choose it from.

    Where no net gives maps there is the picture alone; what each run answers stands in the table of what is followed.
    """
    st.subheader(gradcam.CHART.title, anchor=False)
    slot = st.container()
    st.subheader("Choose a picture", anchor=False)
    mapped = any(explain.layers(report) for report in found)
    what = "all runs are asked about it" if mapped else "what all runs answer stands in the table above"
    st.caption(f"Sorted and named as {escape(names(found)[0])} has them. Press a name: {what}.")
    clicked = explain.choose(found[0], able=True)
    if clicked is not None:
        following.wish(Focus(picture=clicked))
        st.rerun()
    with slot:
        if mapped:
            _asked(found, followed)
        else:
            _alone(found[0], followed.picture)


def _alone(report: Report, number: int | None) -> None:
    st.caption(explain.unmapped(report))
    if number is not None and number < len(report.labels):
        name = f"{report.dataset.classes[report.labels[number]]}, picture {number}"
        st.image(cache.thumbnail(report.dataset.id, number), caption=escape(name), alt=name)


def _figure(one: Chart, report: Report, figure: dict[str, Any], followed: Focus, found: Sequence[Report]) -> None:
    key = f"{PLACE}-{one.id}-{report.run}"
    st.plotly_chart(
        highlight.mark(figure, one.id, report, followed, chart_card.theme()),
        theme=None,
        key=key,
        on_select=lambda: following.clicked(key, found),
        selection_mode="points",
        config=chart_card.config(f"run-{report.run}-{one.id}"),
        alt=one.alt(report),
    )


def _asked(found: Sequence[Report], followed: Focus) -> None:
    """The rows of one picture: from the reports where they have it, else each run is asked for it now."""
    number = _default(found) if followed.picture is None else followed.picture
    if number is None:
        st.caption("Choose a picture below: these runs kept no maps of their own.")
        return
    known: list[Part | int | None] = []
    for report in found:
        part = _stored(report, number, followed)
        known.append(_question(report, number, followed) if part is None else part)
    waits = any(isinstance(one, int) and not cache.store().get(one).state.is_finished for one in known)
    if followed.picture is None:
        st.caption(f"Picture {number}, for as long as none is chosen.")
    st.fragment(_rows, run_every=explain.POLL if waits else None, key="compare-looks")(found, known, waits)


def _default(found: Sequence[Report]) -> int | None:
    """A picture that most of the reports have maps of, a forgotten one first."""
    cards = [
        [card["picture"] for card in report.parts["cam"].facts["cards"]] if "cam" in report.parts else []
        for report in found
    ]
    every = [number for own in cards for number in own]
    return max(dict.fromkeys(every), key=every.count, default=None)


def _stored(report: Report, number: int, followed: Focus) -> Part | None:
    """What the report itself knows, where it was asked the same question."""
    part = heatmap_rows.card_of(report, number)
    if part is None or _layer(report, followed) is not None:
        return None
    return part if part.facts["cards"][0]["target"] == _target(report, number, followed) else None


def _question(report: Report, number: int, followed: Focus) -> int | None:
    """The run that answers for this report; None where it has no such picture, or no layer that gives maps."""
    if report.run is None or number >= len(report.labels) or not explain.layers(report):
        return None
    layer, target = _layer(report, followed), _target(report, number, followed)
    return explain.ask(report, Look(run=report.run, picture=number, target=target, layer=layer)).id


def _layer(report: Report, followed: Focus) -> str | None:
    """The layer that is followed where it has maps; None is the usual one."""
    usual = followed.layer in (None, report.classifier.roles.cam)
    return followed.layer if not usual and followed.layer in explain.layers(report) else None


def _target(report: Report, number: int, followed: Focus) -> int:
    """The class that is followed, else the picture's own."""
    classes = report.dataset.classes
    return classes.index(followed.label) if followed.label in classes else int(report.labels[number])


def _rows(found: Sequence[Report], known: Sequence[Part | int | None], waited: bool) -> None:
    runs = [cache.store().get(one) if isinstance(one, int) else None for one in known]
    if waited and not any(run is not None and not run.state.is_finished for run in runs):
        st.rerun()
    if waited:
        lifespan.see_to_it()
    ready, sayings = [], []
    for report, title, one, run in zip(found, names(found), known, runs, strict=True):
        part = one if isinstance(one, Part) else _answer(run)
        if part is not None:
            ready.append((title, report, part))
        else:
            sayings.append(f"**{escape(title)}**: {_why(run)}")
    if ready:
        rows_of.lay_out(heatmap_rows.aligned(ready))
        st.caption("One colour scale for all runs and nets: bright is evidence for the class that is asked for.")
    for saying in sayings:
        st.markdown(saying)


def _answer(run: Run | None) -> Part | None:
    return artifacts.answer(home(), run.id) if run is not None and run.state is RunState.DONE else None


def _why(run: Run | None) -> str:
    """Why a run has no maps of the picture, or not yet."""
    if run is None:
        return "its data have no such picture, or its net no layer that gives maps."
    if run.state is RunState.FAILED:
        return escape(run.error or "the question was not answered.")
    if run.state.is_finished:
        return "the question was not answered. Choose the picture again."
    if time.time() - formatting.aware(run.created).timestamp() > explain.PATIENCE:
        return "nobody answers yet: the worker is starting, busy with other looks, or away."
    return ":shimmer[looking…]"
