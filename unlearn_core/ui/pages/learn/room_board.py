"""The class board for the projector: the link of the room, what it expects, and what its runs forgot and kept."""

from collections.abc import Mapping, Sequence

import streamlit as st

from unlearn_core.charts import class_board
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.text.lesson_text import Value, fill, lesson_values
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.lessons import Expectation, Lesson
from unlearn_core.domain.run import RunState
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.pages.learn import room_choices
from unlearn_core.ui.pages.learn.lessons import known_lessons, run_report
from unlearn_core.ui.room import room_link, slides
from unlearn_core.ui.room.following import BOARD_PARAM
from unlearn_core.ui.shell import cache, navigation, url_state
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.navigation import PRESENT_PARAM

LESSON_PARAM, QUESTION_PARAM, SHOWN_PARAM = "lesson", "question", "shown"
"""The URL parameters of a board: its lesson, the step of the question, and what is shown of the answers."""
SHOWN = {"count": "How many", "answers": "Answers", "result": "Answers and result"}


def show() -> None:
    """Show the board in the URL, or how to open one."""
    asked = st.query_params.get(BOARD_PARAM, "")
    code = cache.store().boards.find(asked[:20]) if asked else None
    if code is None:
        _open(missing=asked[:20])
        return
    lessons = {name: one for name, one in known_lessons().lessons.items() if _questions(one)}
    lesson = lessons.get(st.query_params.get(LESSON_PARAM, ""), next(iter(lessons.values())))
    link, board = st.columns([1, 2.4], gap="large")
    with link:
        room_link.show(code, lesson.id)
        _present(code, lesson)
    with board:
        _choose(lessons, lesson)
        _live(code, lesson, lesson_values([run_report(name) for name in lesson.runs]))


def _open(*, missing: str) -> None:
    st.title("A board for the room", anchor=False)
    st.markdown(
        "Everybody in the room follows one link, with a phone too. What they expect of a lesson, and the runs that "
        "they start, appear here in one chart for the projector. Nobody gives a name."
    )
    if missing:
        st.warning(
            f"There is no class board {escape(missing)}. Boards are deleted after 30 days.",
            icon=":material/search_off:",
        )
    if st.button("Open a board", type="primary", icon=":material/groups:", key="board-open"):
        try:
            code = cache.store().boards.open()
        except StoreError as problem:
            st.error(escape(str(problem)))
            return
        st.query_params.from_dict({BOARD_PARAM: code})
        st.rerun()
    with st.form("board-enter", border=False):
        st.text_input("Code of a board that is open", key="board-code", max_chars=12, width=260)
        st.form_submit_button("Go there", on_click=lambda: _go_to(st.session_state["board-code"]))


def _go_to(code: str) -> None:
    st.query_params.from_dict({BOARD_PARAM: code})


def _present(code: str, lesson: Lesson) -> None:
    """The ways to present: the board without the side menu, and the lesson with the answers of the room."""
    if slides.is_open():
        st.button(
            "Leave",
            key="board-leave-present",
            icon=":material/close:",
            shortcut="Esc",
            on_click=lambda: url_state.set_param(PRESENT_PARAM, ""),
        )
        return
    st.button(
        "Present the board",
        key="board-present",
        icon=":material/slideshow:",
        on_click=lambda: url_state.set_param(PRESENT_PARAM, "1"),
    )
    st.page_link(
        navigation.page("lessons"),
        label="Present the lesson with these answers",
        icon=":material/school:",
        query_params={LESSON_PARAM: lesson.id, BOARD_PARAM: code, PRESENT_PARAM: "1"},
    )


def _choose(lessons: dict[str, Lesson], lesson: Lesson) -> None:
    """Choose the lesson, its question and what is shown; all of it is in the URL."""
    st.session_state["board-lesson"] = lesson.id
    st.selectbox(
        "Lesson",
        list(lessons),
        format_func=lambda name: lessons[name].title,
        key="board-lesson",
        on_change=_change,
        args=(LESSON_PARAM, "board-lesson", QUESTION_PARAM, SHOWN_PARAM),
    )
    steps = list(_questions(lesson))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state["board-question"] = _question(lesson)
        st.segmented_control(
            "Question",
            steps,
            format_func=lambda step: f"{steps.index(step) + 1}",
            required=True,
            key="board-question",
            on_change=_change,
            args=(QUESTION_PARAM, "board-question", SHOWN_PARAM),
        )
        st.session_state["board-shown"] = _shown()
        st.segmented_control(
            "Shown here",
            list(SHOWN),
            format_func=lambda name: SHOWN[name],
            required=True,
            key="board-shown",
            on_change=_change,
            args=(SHOWN_PARAM, "board-shown"),
        )


def _change(param: str, key: str, *fresh: str) -> None:
    """Write a widget into the URL, and begin anew with the parameters that depend on it."""
    url_state.set_param(param, str(st.session_state[key]))
    for other in fresh:
        url_state.set_param(other, "")


@st.fragment(run_every=room_choices.TICK_SECONDS)
def _live(code: str, lesson: Lesson, values: Mapping[str, Value]) -> None:
    """What the room expects and has run, read again every two seconds."""
    step = _question(lesson)
    expectation = _questions(lesson)[step]
    st.header(fill(expectation.question, values), anchor=False)
    if _shown() == "count":
        room_choices.show_count(code, lesson.id, step)
    else:
        right = expectation.right if _shown() == "result" else ()
        room_choices.show_choices(code, lesson.id, step, expectation, values, right=right)
    _runs(code)


def _runs(code: str) -> None:
    runs = cache.store().boards.runs(code)
    if not runs:
        st.caption("Runs that the room starts, with *Start this run yourself* or on the page Method, appear here.")
        return
    waiting = sum(not run.state.is_finished for run in runs)
    failed = sum(run.state == RunState.FAILED for run in runs)
    more = [f"{waiting} queued or running"] * bool(waiting) + [f"{failed} failed"] * bool(failed)
    st.header("Runs of the room", anchor=False)
    st.caption(" · ".join([class_board.runs_sentence(runs), *more]))
    st.markdown(chart_card.legend())
    st.plotly_chart(
        PlainFigure.of(class_board.runs_figure(runs, chart_card.current_theme())),
        theme=None,
        key="board-runs",
        config=chart_card.plotly_config("runs"),
        alt=class_board.runs_sentence(runs),
    )


def _questions(lesson: Lesson) -> dict[int, Expectation]:
    """The questions of a lesson, by the step that asks them, from 1."""
    return {number: step.expectation for number, step in enumerate(lesson.steps, 1) if step.expectation is not None}


def _question(lesson: Lesson) -> int:
    """The step of the question in the URL, else of the first one."""
    steps: Sequence[int] = list(_questions(lesson))
    asked = url_state.parse_number(st.query_params.get(QUESTION_PARAM, ""))
    return asked if asked in steps else steps[0]


def _shown() -> str:
    asked = st.query_params.get(SHOWN_PARAM, "")
    return asked if asked in SHOWN else "count"
