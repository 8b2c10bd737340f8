"""Start a worker for what a page shows, and show a message while there is none."""

from collections.abc import Collection

import streamlit as st

from unlearn_core.domain.run import Run, RunState
from unlearn_core.ui.shell import cache, lifespan

_THEN = {
    RunState.QUEUED: "started again",
    RunState.FAILED: "ended as failed",
    RunState.CANCELLED: "cancelled",
}
"""What a worker does with a run that the last worker left unfinished."""


def of(*runs: Run, place: str) -> bool:
    """Whether no worker processes these unfinished runs; if so, show why. `place` makes the keys of widgets unique."""
    return say([run.id for run in runs], waits=any(run.state is RunState.QUEUED for run in runs), place=place)


def say(runs: Collection[int], *, waits: bool, place: str) -> bool:
    """The same by the runs' numbers; `waits` is true if something in the queue needs a worker to start it."""
    lifespan.ensure_worker()
    store = cache.store()
    left, there = store.left(), bool(store.workers())
    fates = [left[run] for run in runs if run in left]
    if not fates and (there or not waits):
        return False
    coming = there or lifespan.is_coming()
    if fates and coming:
        then = " or ".join(dict.fromkeys(_THEN[fate] for fate in fates))
        which = "the run" if len(fates) == 1 else "its runs"
        _warn(f"The worker stopped unexpectedly. A new one is starting; {which} will be {then}.")
    elif coming:
        st.caption(":shimmer[A worker is starting.] The first start takes some seconds.")
    else:
        what = (
            "The worker stopped unexpectedly, so the run cannot continue"
            if fates
            else "No worker is running, so nothing starts"
        )
        _warn(f"{what}. Start a worker in a terminal and check its output:")
        with st.container(horizontal=True, vertical_alignment="center"):
            if lifespan.is_allowed():
                st.button(
                    "Start a worker",
                    icon=":material/play_arrow:",
                    key=f"{place}-worker",
                    on_click=lifespan.start_worker,
                )
            st.code("python -m unlearn_core worker", language="bash")
    return True


def _warn(words: str) -> None:
    st.warning(words, icon=":material/hourglass_empty:")
