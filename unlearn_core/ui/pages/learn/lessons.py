"""The page Lessons: the list of lessons, and one lesson step by step."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.charts.text import lesson_text
from unlearn_core.domain.errors import InvalidLessonError, UnlearnError
from unlearn_core.domain.lessons import Lesson
from unlearn_core.domain.report import Report
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import lesson_files, reports, shipped_runs
from unlearn_core.store.files.lesson_files import Lessons
from unlearn_core.ui.pages.learn import lesson_slides, lesson_steps
from unlearn_core.ui.room import following, slides
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.navigation import PRESENT_PARAM


@st.cache_resource(show_spinner=False, max_entries=4)
def _lessons(version: tuple[tuple[str, int], ...], folder: str) -> Lessons:
    return lesson_files.find_lessons()


def known_lessons() -> Lessons:
    """All lessons, read again when one of their files was changed."""
    return _lessons(lesson_files.version(), lesson_files.own_folder())


def show() -> None:
    """Show the lesson in the URL, or all of them to choose from."""
    known = known_lessons()
    if not slides.is_open():
        following.show()
    wanted = st.query_params.get(lesson_steps.LESSON_PARAM)
    if wanted is None:
        _list(known)
    elif wanted not in known.lessons:
        st.title("There is no such lesson", anchor=False)
        st.markdown(f"This lab has no lesson “{escape(wanted[:40])}”. Choose one of these.")
        _cards(known)
    else:
        _show_lesson(known.lessons[wanted], list(known.lessons.values()))


def _list(known: Lessons) -> None:
    st.title("Learn from real runs", anchor=False)
    st.markdown(
        "Each lesson takes a finished run apart. You first say what you expect, then you see what happened, and in the "
        "end you can start the run yourself."
    )
    _cards(known)
    for problem in known.problems:
        st.warning(escape(problem), icon=":material/edit_off:")


def _cards(known: Lessons) -> None:
    lessons = list(known.lessons.values())
    for start in range(0, len(lessons), 2):
        for column, lesson in zip(st.columns(2, gap="medium"), lessons[start : start + 2], strict=False):
            with column.container(border=True, height="stretch", key=f"lesson-card-{lesson.id}"):
                st.caption(f"Lesson {lessons.index(lesson) + 1} · {formatting.pluralize(lesson.minutes, 'minute')}")
                st.header(lesson.title, anchor=False)
                st.markdown(lesson.question)
                st.button(
                    f"Begin lesson {lessons.index(lesson) + 1}",
                    icon=":material/arrow_forward:",
                    key=f"lesson-begin-{lesson.id}",
                    on_click=lesson_steps.open_lesson,
                    args=(lesson.id,),
                )


def _show_lesson(lesson: Lesson, every: Sequence[Lesson]) -> None:
    if not slides.is_open():
        _head(lesson, every)
    try:
        found = [run_report(name) for name in lesson.runs]
        values = lesson_text.lesson_values(found)
        if slides.is_open():
            lesson_slides.show(lesson, found, values)
            return
        place = every.index(lesson)
        next_lesson = every[place + 1] if place + 1 < len(every) else None
        lesson_steps.show(lesson, found, values, next_lesson)
    except UnlearnError as problem:
        st.error(escape(f"This lesson cannot be shown. {problem}"), icon=":material/edit_off:")


def _head(lesson: Lesson, every: Sequence[Lesson]) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"Lesson {every.index(lesson) + 1} of {len(every)} · {formatting.pluralize(lesson.minutes, 'minute')}",
            width="content",
        )
        st.button(
            "All lessons",
            icon=":material/school:",
            type="tertiary",
            key="all-lessons",
            on_click=lesson_steps.open_lesson,
        )
        st.button(
            "Present",
            icon=":material/slideshow:",
            type="tertiary",
            key="lesson-present",
            on_click=lambda: url_state.set_param(PRESENT_PARAM, "1"),
        )
    st.title(lesson.title, anchor=False)
    st.markdown(f"**{lesson.question}**")


def run_report(name: str) -> Report:
    """The report of a lesson's run: one that ships, by its name, or one of this data folder, by its number."""
    number = url_state.parse_number(name)
    if number is None:
        return cache.shipped_report(shipped_runs.named(name).id)
    version = reports.report_version(open_data_dir(), number)
    if not version:
        raise InvalidLessonError(f"This data folder has no finished run {number}.")
    return cache.report(number, version)
