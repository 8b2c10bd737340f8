"""One lesson, a step at a time: text beside charts, an expectation that is stated before the result, and a summary."""

from collections.abc import Mapping, Sequence

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.charts.text.lesson_text import Value, fill
from unlearn_core.domain.lessons import Expectation, Lesson, LessonStep
from unlearn_core.domain.report import Report
from unlearn_core.engine.forecasts.here import of_report
from unlearn_core.export.lesson_handout import render_handout
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.room import following
from unlearn_core.ui.shell import cache, navigation, url_state
from unlearn_core.ui.shell.markdown import escape

LESSON_PARAM, STEP_PARAM = "lesson", "step"
"""The URL parameters of the lesson and of its step, from 1."""

Values = Mapping[str, Value]


def show(lesson: Lesson, reports: Sequence[Report], values: Values, next_lesson: Lesson | None) -> None:
    """Show the step in the URL and the way to the others; `next_lesson` follows it, if there is one."""
    count = len(lesson.steps) + 1
    number = url_state.place(STEP_PARAM, count)
    st.progress(number / count, text=f"Step {number} of {count}")
    if number < count:
        _step(lesson, number, reports, values)
    else:
        _summary(lesson, reports, values, next_lesson)
    with st.container(horizontal=True, vertical_alignment="center"):
        _button("Previous", -1, number, count, icon=":material/arrow_back:")
        _button("Next", +1, number, count, icon=":material/arrow_forward:")


def open_lesson(lesson: str = "") -> None:
    """Open a lesson at its first step, or without one the list of them.

    A link to the page that is open would not change its URL in the browser.
    """
    st.query_params.from_dict({LESSON_PARAM: lesson} if lesson else {})


def _button(label: str, change: int, number: int, count: int, *, icon: str) -> None:
    st.button(
        label,
        on_click=url_state.turn,
        args=(STEP_PARAM, change, count),
        disabled=not 1 <= number + change <= count,
        key=f"lesson-{label.lower()}",
        icon=icon,
        type="primary" if change > 0 and number < count else "secondary",
    )


def _step(lesson: Lesson, number: int, reports: Sequence[Report], values: Values) -> None:
    step = lesson.steps[number - 1]
    is_wide = not step.charts or any(len(chart.runs) > 1 for chart in step.charts)
    words, figures = (st.container(), st.container()) if is_wide else st.columns([1, 1.25], gap="large")
    with words:
        st.header(fill(step.title, values), anchor=False)
        if step.text:
            st.markdown(fill(step.text, values))
        answered = step.expectation is None or _ask(lesson, number, step.expectation, values)
        if answered and step.reveal:
            st.markdown(fill(step.reveal, values))
    with figures:
        if not answered:
            with st.container(border=True):
                st.markdown(":material/visibility_off: The result appears here once you have answered.")
            return
        _figures(step, reports, lesson)


def _figures(step: LessonStep, reports: Sequence[Report], lesson: Lesson) -> None:
    if step.charts:
        st.markdown(chart_card.legend())
    for place, chart in enumerate(step.charts):
        shown = [reports[run - 1] for run in chart.runs]
        chart_card.show(charts()[chart.chart], shown, key_scope=f"lesson-{lesson.id}-{place}", neighbour=False)


def _ask(lesson: Lesson, number: int, expectation: Expectation, values: Values) -> bool:
    """Ask what the learner expects, and return whether there is an answer; it then stands beside what happened."""
    key = f"expected-{lesson.id}-{number}"
    answers = [fill(answer, values) for answer in expectation.choices]
    chosen = st.radio(
        f"What do you expect? {fill(expectation.question, values)}",
        range(len(answers)),
        index=None,
        format_func=lambda place: answers[place],
        key=key,
        persist_state="session",
        on_change=lambda: following.count_answer(lesson.id, number, st.session_state[key]),
    )
    if chosen is None:
        return False
    happened = " · ".join(answers[place] for place in expectation.right)
    is_right = chosen in expectation.right
    mark = ":green-badge[:material/check: as you expected]" if is_right else ":orange-badge[:material/bolt: a surprise]"
    st.markdown(f"{mark}  \nYou expected: **{answers[chosen]}**  \nThe run shows: **{happened}**")
    return True


def _summary(lesson: Lesson, reports: Sequence[Report], values: Values, next_lesson: Lesson | None) -> None:
    report = reports[0]
    with st.container(border=True):
        st.header("In three sentences", anchor=False)
        for place, sentence in enumerate(lesson.summary, 1):
            st.markdown(f"{place}. {fill(sentence.text, values)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Start this run yourself", type="primary", icon=":material/play_arrow:", key="lesson-run"):
            _start(report)
        run = "" if report.run is None else str(report.run)
        st.page_link(
            navigation.page("run"), label="The whole report", icon=":material/lab_profile:", query_params={"id": run}
        )
        st.page_link(lesson.paper, label=escape(lesson.paper_title), icon=":material/article:")
        st.download_button(
            "Handout",
            lambda: render_handout(lesson, reports, values),
            f"{lesson.id}.html",
            "text/html",
            key="lesson-handout",
            icon=":material/print:",
            type="tertiary",
            on_click="ignore",
            help="The lesson to print, its questions first, then what happened: one HTML file of about 5 MB.",
        )
        if next_lesson is not None:
            st.button(
                "The next lesson",
                icon=":material/school:",
                type="tertiary",
                key="lesson-following",
                on_click=open_lesson,
                args=(next_lesson.id,),
            )
    forecast = of_report(report, cache.store())
    cost = "" if forecast is None else f", {forecast} on {'this machine' if forecast.measured else 'a typical CPU'}"
    what = f"Forget {escape(report.forget_set_title)} with {escape(report.method)}"
    st.caption(f"{what}{cost}: a real run with the same settings and the same seed.")


def _start(report: Report) -> None:
    """Queue the run of the lesson, with the same settings and the same seed, and open its page."""
    from unlearn_core.ui.components import run_bar  # Imports torch, which the lesson does without.

    run_bar.submit(report.spec, f"Forget {report.forget_set_title} with {report.method}")
