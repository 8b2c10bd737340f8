"""What the room expects of a question of a lesson: how many have answered, or their answers as one chart."""

from collections.abc import Mapping, Sequence

import streamlit as st

from unlearn_core.charts import class_board
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.text.lesson_text import Value, fill
from unlearn_core.domain.lessons import Expectation
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, formatting

TICK_SECONDS = 2.0
"""How often what the room sees is read again."""


def show_count(code: str, lesson: str, step: int) -> None:
    """Show how many have answered, in large type, and nothing of what they expect."""
    total = cache.store().boards.choices(code, lesson, step).total()
    st.markdown(f"# {formatting.pluralize(total, 'answer')}")


def show_choices(
    code: str,
    lesson: str,
    step: int,
    expectation: Expectation,
    values: Mapping[str, Value],
    *,
    right: Sequence[int] = (),
) -> None:
    """Show the answers to one question; those that the run shows are marked, where `right` names them."""
    boards = cache.store().boards
    counts = boards.choices(code, lesson, step)
    answers = formatting.pluralize(counts.total(), "answer")
    st.caption(f"{answers} · {formatting.pluralize(boards.visitors(code), 'visitor')} so far")
    choices = [fill(choice, values).replace("**", "") for choice in expectation.choices]
    st.plotly_chart(
        PlainFigure.of(class_board.choices_figure(choices, counts, chart_card.current_theme(), right=right)),
        theme=None,
        key="board-answers",
        config=chart_card.plotly_config("answers"),
        alt=class_board.choices_sentence(fill(expectation.question, values), choices, counts),
    )
