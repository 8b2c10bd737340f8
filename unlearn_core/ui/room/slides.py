"""Slides: a screen of large type for a room, turned by the arrow keys; Esc leaves. The URL has the slide's number."""

from collections.abc import Callable

import streamlit as st

from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.navigation import PRESENT_PARAM

HEIGHT = 520
"""Least height of a figure in pixels: title, sentence and figure fit on a screen of 900."""
SCALE = 1.4
"""How much larger the words of a figure are than on the page."""
LAID_OUT = 520
"""Figures that are taller by themselves are laid out by the pixel: they keep their size."""


def is_open() -> bool:
    """Whether the URL asks for slides."""
    return PRESENT_PARAM in st.query_params


def number(count: int) -> int:
    """The number of the slide in the URL, from 1; a number beyond the last slide is the last."""
    return url_state.place(PRESENT_PARAM, count)


def controls(count: int, words: str, *, leave: Callable[[], None]) -> None:
    """Draw what turns the slides and what leaves them, with the number of the slide and the `words` beside it."""
    now = number(count)
    with st.container(horizontal=True, vertical_alignment="center"):
        _button("Previous", -1, now, count, shortcut="Left", icon=":material/arrow_back:")
        _button("Next", +1, now, count, shortcut="Right", icon=":material/arrow_forward:")
        st.button("Leave", on_click=leave, key="present-leave", shortcut="Esc", icon=":material/close:")
        st.caption(f"{now} of {count} · {words}")


def enlarged(figure: PlainFigure) -> PlainFigure:
    """The figure with larger words, except one that is laid out by the pixel."""
    height = figure.to_dict()["layout"]["height"]
    return figure if height > LAID_OUT else figure.enlarged(SCALE, height=HEIGHT)


def _button(label: str, step: int, now: int, count: int, *, shortcut: str, icon: str) -> None:
    st.button(
        label,
        on_click=url_state.turn,
        args=(PRESENT_PARAM, step, count),
        disabled=not 1 <= now + step <= count,
        key=f"present-{label.lower()}",
        shortcut=shortcut,
        icon=icon,
    )
