"""A lesson for the projector: one step a screen in large type; each question has a slide before that of its result.

A visit that follows a class board sees there how many have answered, and with the result what they expected.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.charts import charts
from unlearn_core.charts.text.lesson_text import fill
from unlearn_core.domain.lessons import Expectation, Lesson, StepChart
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.learn import room_choices
from unlearn_core.ui.pages.learn.lesson_steps import Values
from unlearn_core.ui.room import following, slides
from unlearn_core.ui.shell import drawings, url_state
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.navigation import PRESENT_PARAM

Slide = Callable[[], None]


class Room(NamedTuple):
    """A question on a class board: the board's code, the lesson, and its step, from 1."""

    code: str
    lesson: str
    step: int


# Streamlit has no larger body text. The keys are those of the containers below.
_LARGE_TYPE = ".st-key-slide p, .st-key-slide li { font-size: 1.5rem; line-height: 1.45; }"
_large_type = component("large-type", html="<span hidden></span>", css=_LARGE_TYPE, isolate_styles=False)


def show(lesson: Lesson, reports: Sequence[Report], values: Values) -> None:
    """Show the slide whose number is in the URL."""
    _large_type(key="large-type", height="content", width="content")
    every = _slides(lesson, reports, values)
    with st.container(key="slide"):
        every[slides.number(len(every)) - 1]()
    slides.controls(len(every), escape(lesson.title), leave=lambda: url_state.set_param(PRESENT_PARAM, ""))


def _slides(lesson: Lesson, reports: Sequence[Report], values: Values) -> list[Slide]:
    found: list[Slide] = [partial(_title, lesson)]
    code = following.follow()
    for number, step in enumerate(lesson.steps, 1):
        title = fill(step.title, values)
        if step.expectation is None:
            found.append(partial(_text_and_charts, title, fill(step.text, values), step.charts, reports))
        else:
            room = None if code is None else Room(code, lesson.id, number)
            found.append(partial(_question, title, fill(step.text, values), step.expectation, values, room))
            if room is not None:
                found.append(partial(_expected, title, step.expectation, values, room))
            found.append(partial(_text_and_charts, title, fill(step.reveal, values), step.charts, reports))
    return [*found, partial(_summary, lesson, values)]


def _title(lesson: Lesson) -> None:
    st.title(lesson.title, anchor=False)
    st.header(lesson.question, anchor=False)


def _question(title: str, text: str, expectation: Expectation, values: Values, room: Room | None) -> None:
    st.title(title, anchor=False)
    words, question = st.columns(2, gap="large")
    words.markdown(text)
    with question.container(border=True):
        st.header(fill(expectation.question, values), anchor=False)
        st.markdown("\n".join(f"* {fill(choice, values)}" for choice in expectation.choices))
    if room is not None:
        with question:
            st.fragment(room_choices.show_count, run_every=room_choices.TICK_SECONDS)(*room)


def _expected(title: str, expectation: Expectation, values: Values, room: Room) -> None:
    st.title(title, anchor=False)
    st.header(fill(expectation.question, values), anchor=False)
    live = st.fragment(room_choices.show_choices, run_every=room_choices.TICK_SECONDS)
    live(*room, expectation, values, right=expectation.right)


def _text_and_charts(title: str, text: str, shown: Sequence[StepChart], reports: Sequence[Report]) -> None:
    st.title(title, anchor=False)
    is_wide = any(len(chart.runs) > 1 for chart in shown)
    words, figures = (st.container(), st.container()) if is_wide or not shown else st.columns([1, 1.4], gap="large")
    with figures:
        if shown:
            st.caption(chart_card.legend())
        for place, chart in enumerate(shown):
            drawing = drawings.chart(
                charts()[chart.chart], [reports[run - 1] for run in chart.runs], chart_card.current_theme()
            )
            figure = slides.enlarged(drawing.figure)
            st.plotly_chart(figure, theme=None, key=f"slide-{place}-{chart.chart}", alt=drawing.alt)
    words.markdown(text)


def _summary(lesson: Lesson, values: Values) -> None:
    st.title("In three sentences", anchor=False)
    st.markdown("\n".join(f"{place}. {fill(one.text, values)}" for place, one in enumerate(lesson.summary, 1)))
