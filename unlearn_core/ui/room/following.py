"""Following a class board: the link of the room names it, and what a visitor expects and runs is counted there.

Nothing is known of a visitor but a random number, which a cookie remembers so that a reload counts nobody twice.
"""

import re
import secrets

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.ui.shell import cache

BOARD_PARAM = "board"
"""The query parameter of a lesson that names the board of the room."""
COOKIE = "unlearn-lab-visitor"

_BOARD, _VISITOR = "board", "visitor of a board"
_REMEMBER = """
export default function ({ data }) {
  document.cookie = `${data.cookie}=${data.visitor}; path=/; max-age=86400; samesite=lax`;
}
"""
_remember = component("remember-visitor", html="<span hidden></span>", js=_REMEMBER)


def show() -> None:
    """Follow the board in the URL, and say so; a visit that follows one goes on without it in the URL."""
    code = follow()
    if code is None:
        return
    _remember(data={"cookie": COOKIE, "visitor": _visitor()}, key="remember-visitor", height="content", width="content")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f":material/groups: Class board **{code}**: your answers and runs are counted there, without a name.",
            width="content",
        )
        st.button("Leave", type="tertiary", key="board-leave", on_click=_leave)


def follow() -> str | None:
    """Follow the board in the URL, if it names one, and return the code of the board that the visit follows."""
    asked = st.query_params.get(BOARD_PARAM)
    if asked is not None and asked != current():
        st.session_state[_BOARD] = cache.store().boards.find(asked[:20])
        if current() is None:
            st.warning("This class board no longer exists, so answers are not counted.", icon=":material/groups:")
    return current()


def current() -> str | None:
    """The code of the board that this visit follows."""
    return st.session_state.get(_BOARD)


def count_run(run: int) -> None:
    """Count a run that the visitor has started, if the visit follows a board."""
    code = current()
    if code is not None:
        cache.store().boards.add_run(code, run)


def count_answer(lesson: str, step: int, choice: int) -> None:
    """Count what the visitor expects, if the visit follows a board; if it cannot be counted, say so."""
    code = current()
    if code is not None and not cache.store().boards.answer(code, lesson, step, _visitor(), choice):
        st.toast("The class board is full or was deleted, so this answer is not counted.", icon=":material/groups:")


def _visitor() -> str:
    """The random number of this browser."""
    if _VISITOR not in st.session_state:
        known = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[_VISITOR] = known if re.fullmatch("[0-9a-f]{32}", known) else secrets.token_hex(16)
    return st.session_state[_VISITOR]


def _leave() -> None:
    st.session_state[_BOARD] = None
    st.query_params.pop(BOARD_PARAM, None)
