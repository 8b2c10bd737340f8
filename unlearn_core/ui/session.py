"""The lab's choice: one setup a session, read once from the address and written back on every lab page."""

from dataclasses import replace
from typing import Any

import streamlit as st

from unlearn_core.domain.run import RunSpec
from unlearn_core.ui import frame
from unlearn_core.ui.setup import Setup, link, of, read

_SETUP, _TROUBLE = "setup", "setup trouble"


def current() -> Setup:
    """This session's setup; the first call reads it from the address."""
    if _SETUP not in st.session_state:
        setup, trouble = read(st.query_params.to_dict())
        st.session_state[_SETUP], st.session_state[_TROUBLE] = setup, trouble
    return st.session_state[_SETUP]


def change(**fields: Any) -> Setup:
    """Changes some of the setup, and gives the whole."""
    st.session_state[_SETUP], st.session_state[_TROUBLE] = replace(current(), **fields), []
    return st.session_state[_SETUP]


def take(spec: RunSpec) -> Setup:
    """Makes a run's spec the session's setup. Raises UnknownName or BadKnob where it cannot be run any more."""
    st.session_state[_SETUP], st.session_state[_TROUBLE] = of(spec), []
    return st.session_state[_SETUP]


def trouble() -> list[str]:
    """What of the address could not be used, in sentences; said until somebody chooses something."""
    return st.session_state.get(_TROUBLE, [])


def write() -> None:
    """Puts the setup into the address of the page on show."""
    wanted = link(current())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def go(page: str) -> None:
    """Opens a lab page with the setup in its address."""
    st.switch_page(frame.page(page), query_params=link(current()))
