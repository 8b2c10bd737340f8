"""What a visitor is told if the run that they asked for was there already: it waits or runs, or it is done."""

from typing import Literal

import streamlit as st

from unlearn_core.domain.run import Run, RunState
from unlearn_core.store.access.readers import Readers
from unlearn_core.ui.shell import formatting, ownership

_FOUND = "run that was there already"


def remember(number: int, known: Literal["unfinished", "done"] | None) -> None:
    """Remember whether the run that was just asked for was there already."""
    st.session_state[_FOUND] = number if known == "done" else None
    if known == "unfinished":
        st.toast("This run was asked for already: it is computed once.", icon=":material/group:")


def offer_again(run: Run) -> bool:
    """Say why a finished run answered at once, if it did, and return whether it should be computed again."""
    if st.session_state.get(_FOUND) != run.id or run.state is not RunState.DONE or run.finished is None:
        return False
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="same-run"):
        st.markdown(
            f":material/bolt: **This run was made {formatting.format_age(run.finished)}**{ownership.byline(run)}, with "
            "the same code, weights and device: it was not computed again.",
            width="stretch",
        )
        return st.button("Run it anyway", icon=":material/replay:", key="run-anyway")


def others_note(readers: Readers) -> str:
    """For how many others a run is too, to follow its number; "" for none, or if it is not one's own."""
    return f" · for {formatting.pluralize(readers.others, 'other')} too" if readers.has_me and readers.others else ""
