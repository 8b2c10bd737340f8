"""Start a worker for what a page shows, and show a message while there is none."""

from collections.abc import Collection

import streamlit as st

from unlearn_core.domain.run import Run, RunState
from unlearn_core.store import maintenance
from unlearn_core.store.data_folder import is_writable, open_data_dir, storage_problem
from unlearn_core.ui.shell import cache, lifespan
from unlearn_core.ui.shell.markdown import escape

POLL_SECONDS = 0.5
"""Seconds between two updates of what a visitor waits for."""
BACKGROUND_POLL_SECONDS = 2.0
"""Seconds between two updates of what goes on in the background."""
_OUTCOMES = {
    RunState.QUEUED: "started again",
    RunState.FAILED: "ended as failed",
    RunState.CANCELLED: "cancelled",
}
"""What a worker does with a run that the last worker left unfinished."""


def show(*runs: Run, key_scope: str) -> bool:
    """Show why no worker processes these unfinished runs; return False if one does.

    `key_scope` distinguishes several such messages on one page.
    """
    has_queued = any(run.state is RunState.QUEUED for run in runs)
    return show_for_ids([run.id for run in runs], has_queued=has_queued, key_scope=key_scope)


def show_for_ids(runs: Collection[int], *, has_queued: bool, key_scope: str) -> bool:
    """Do the same by the numbers of the runs; `has_queued` says whether something needs a worker to start it."""
    folder = open_data_dir()
    problem = storage_problem(folder)
    if problem:  # a worker that cannot write looks as if there were none
        if is_writable(folder):  # otherwise the frame says it on every page
            st.warning(escape(problem), icon=":material/hard_drive:")
        return True
    lifespan.ensure_worker()
    store = cache.store()
    orphaned, has_worker = store.orphaned_runs(), bool(store.workers())
    outcomes = [orphaned[run] for run in runs if run in orphaned]
    if not outcomes and (has_worker or not has_queued):
        return False
    if maintenance.is_on(folder):  # the frame says it on every page
        return True
    is_starting = has_worker or lifespan.is_coming()
    if outcomes and is_starting:
        outcome = " or ".join(dict.fromkeys(_OUTCOMES[state] for state in outcomes))
        subject = "the run" if len(outcomes) == 1 else "its runs"
        _warn(f"The worker stopped unexpectedly. A new one is starting; {subject} will be {outcome}.")
    elif is_starting:
        st.caption(":shimmer[A worker is starting.] The first start takes some seconds.")
    else:
        what = (
            "The worker stopped unexpectedly, so the run cannot continue"
            if outcomes
            else "No worker is running, so nothing starts"
        )
        _warn(f"{what}. Start a worker in a terminal and check its output:")
        with st.container(horizontal=True, vertical_alignment="center"):
            if lifespan.is_allowed():
                st.button(
                    "Start a worker",
                    icon=":material/play_arrow:",
                    key=f"{key_scope}-worker",
                    on_click=lifespan.start_worker,
                )
            st.code("python -m unlearn_core worker", language=None)
    return True


def _warn(words: str) -> None:
    st.warning(words, icon=":material/hourglass_empty:")
