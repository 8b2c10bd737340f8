"""An unfinished run on a page: its title and Cancel in one row, below them its progress and remaining time."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from unlearn_core.domain.run import Run
from unlearn_core.store.access.readers import Readers
from unlearn_core.ui.components import time_estimate
from unlearn_core.ui.shell import cache, formatting, ownership

_LEFT = "run that was left"


def show(run: Run, title: str, progress: tuple[float, str], *, key: str) -> None:
    """Show the title (Markdown), Cancel with this `key`, and a bar with the completed share (0 to 1) and its text."""
    with title_row(title):
        cancel_button(run, key=key)
    share, text = progress
    st.progress(share, text=text)


@contextmanager
def title_row(title: str, *, border: bool = False) -> Iterator[None]:
    """Show a title (Markdown) at the left of a row, and at its right what is drawn inside."""
    with st.container(border=border, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(title, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            yield


def cancel_button(run: Run, *, key: str, effect: str | None = None, readers: Readers | None = None) -> None:
    """Show the button that cancels a run, and its `effect` as a tooltip; it is disabled while the run stops.

    A run that others want too is left instead, and goes on for them; `readers` are those of the run, if they are known.
    """
    say_left()
    readers = readers or cache.store().readers(run.id)
    refusal = None if readers.has_me else ownership.refusal([run.owner])
    leaves = readers.has_me and readers.others > 0
    label = "Cancelling" if run.cancelling else "Leave" if leaves else "Cancel"
    st.button(
        label,
        key=key,
        help=refusal or (_goes_on(readers.others) if leaves else effect),
        icon=":material/logout:" if leaves else ":material/stop:",
        on_click=_cancel,
        args=(run.id, readers.others if leaves else 0),
        disabled=run.cancelling or refusal is not None,
    )


def say_left() -> None:
    """Say that a run was left, once; for pages on which it has no button any more."""
    left = st.session_state.pop(_LEFT, None)
    if left:
        st.toast(left, icon=":material/logout:")


def _goes_on(others: int) -> str:
    """What happens to a run that is left."""
    return f"{formatting.pluralize(others, 'other')} {'wants' if others == 1 else 'want'} this run too: it goes on."


def show_silence(run: Run) -> bool:
    """Warn that a running run has made no step for long, and say when it is stopped; return False if it makes steps."""
    if run.silence is None:
        return False
    silent = formatting.format_duration(run.silence.seconds)
    left = formatting.format_duration(max(0.0, run.silence.limit - run.silence.seconds))
    st.warning(
        f"This run has made no step for {silent}. If it makes none for another {left}, it is stopped, and the next run "
        "starts. You can cancel it now.",
        icon=":material/hourglass_disabled:",
    )
    return True


def silence_note(run: Run) -> str:
    """The same in brief, to follow the progress of a run that others wait for; "" if it makes steps."""
    if run.silence is None:
        return ""
    silent, limit = (formatting.format_duration(seconds) for seconds in run.silence)
    return f" · no step for {silent}; it is stopped after {limit}"


def _cancel(run: int, others: int) -> None:
    cache.store().cancel(run)
    if others:  # a callback within a fragment must not draw anything
        st.session_state[_LEFT] = f"You left run {run}. {_goes_on(others)}"


def queue_position(run: Run) -> str:
    """A sentence on how many runs a worker takes before this one."""
    before = cache.store().queue_position(run.id)
    return f"Queued: {formatting.pluralize(before, 'run')} before this one." if before else "Queued: it is next."


def step_progress(run: Run, unit: str = "step") -> tuple[float, str]:
    """The share of a run's steps that are done (0 to 1), and how many, with the remaining time once it is known.

    `unit` is the noun for a step, in the singular.
    """
    phases = run.progress.phases if run.progress else ()
    done, steps = sum(phase.done for phase in phases), sum(phase.steps for phase in phases)
    if run.progress is None or not steps:
        return 0.0, f"no {unit} done yet"
    left = time_estimate.remaining(run.progress, {})
    tail = "" if left is None else f" · {formatting.format_estimate(left)} left"
    return done / steps, f"{unit} {done:,} of {steps:,}{tail}"
