"""The former selections of this visit, for Undo: whatever has changed the selection, a click takes it back."""

import streamlit as st

from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.run_setup import RunSetup

MAX_STEPS = 50
"""The most selections that are kept."""

_FORMER, _LAST = "former selections", "last selection"


def record() -> None:
    """Note the selection before it is shown: if it has changed, the one before can be restored."""
    now, former = url_state.current(), _former()
    last: RunSetup = st.session_state.get(_LAST, now)
    if last.classifier != now.classifier:
        former.clear()
    elif (last.classes, last.images) != (now.classes, now.images):
        former.append(last)
        del former[:-MAX_STEPS]
    st.session_state[_LAST] = now


def undo_button() -> None:
    """Show the button that restores the selection before the last change."""
    st.button("Undo", type="tertiary", icon=":material/undo:", key="undo", on_click=_undo, disabled=not _former())


def _former() -> list[RunSetup]:
    return st.session_state.setdefault(_FORMER, [])


def _undo() -> None:
    last = _former().pop()
    st.session_state[_LAST] = url_state.change(by=last.by, classes=last.classes, images=last.images)
