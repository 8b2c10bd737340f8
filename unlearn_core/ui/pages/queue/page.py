"""The queue: a card for each device, one's own waiting runs, then all of them in their order."""

from collections.abc import Mapping

import streamlit as st

from unlearn_core.domain.run import Priority, Run
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.store.queue.queue_view import Entry, Queue
from unlearn_core.store.queue.scheduling import MAX_PER_OWNER, MAX_TOTAL
from unlearn_core.ui.components import job_card
from unlearn_core.ui.pages.queue import expected_starts
from unlearn_core.ui.room import joined_run
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.shell import cache, formatting, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape

MOST_OWN = 5
"""The most of one's own waiting runs with a card; all are in the table."""

PRIORITIES = {Priority.INTERACTIVE: "someone waits", Priority.SWEEP: "sweep", Priority.BACKGROUND: "background"}
STATES = {
    "starting": (":blue-badge[:material/hourglass_top: starting]", "It loads its libraries."),
    "idle": (":green-badge[:material/check: free]", "The next run starts here at once."),
    "busy": (":orange-badge[:material/play_arrow: busy]", "What it does has a queue of its own."),
    "leaving": (":gray-badge[:material/logout: leaving]", "It takes no more runs."),
}
"""What is shown of a worker by its state, and why it runs nothing."""
BESIDE = {"look": "Grad-CAM query", "import": "import", "points": "job of the playground"}
ORDER = (
    "Runs that somebody waits for go first, then sweeps, then background work. Among equal ones, those go first whose "
    "visitor has had the least computation in the last hour: nobody waits behind twenty runs of somebody else. The "
    "same run is computed once for all who want it."
)


def show() -> None:
    """Show the queue and keep it up to date."""
    st.fragment(_board, run_every=worker_status.BACKGROUND_POLL_SECONDS, key="queue")()


def _board() -> None:
    job_card.say_left()
    queue = cache.store().queue.now()
    _class(queue)
    unfinished = [*queue.running, *queue.waiting]
    if unfinished:
        worker_status.show_for_ids(
            [entry.number for entry in unfinished], has_queued=bool(queue.waiting), key_scope="queue"
        )
    _devices(queue)
    starts = expected_starts.expected_starts() if queue.waiting else {}
    _own(queue, starts)
    _everybody(queue, starts)


def _class(queue: Queue) -> None:
    """The switch of whoever holds a class, and for all others what it means."""
    if visitor.actor().is_operator:
        st.toggle(
            "A class is being held",
            value=queue.is_class,
            key=f"class-{queue.is_class}",
            help="Each visitor has one run at a time, sweeps and background work wait, and the history opens on "
            "everybody's runs. You yourself may start as many as you like.",
            on_change=_hold_class,
            args=(not queue.is_class,),
        )
    elif queue.is_class:
        st.info(
            "A class is being held: everybody has one run at a time, and sweeps and background work wait.",
            icon=":material/school:",
        )


def _hold_class(on: bool) -> None:
    cache.store().queue.hold_class(on=on)


def _devices(queue: Queue) -> None:
    running = {entry.run.id: entry for entry in queue.running if entry.run is not None}
    st.header("Devices", anchor=False)
    if not queue.workers:
        st.markdown("No worker is running. It starts with the next run.")
    for worker in queue.workers:
        own = [entry for entry in running.values() if entry.run and entry.run.device == worker.device]
        hidden = worker.state == "busy" and not own and len(running) < len(queue.running)
        with st.container(border=True, key=f"device-{worker.name}"):
            badge, why = STATES[worker.state]
            st.markdown(f"**{escape(formatting.device_name(worker.device))}** {badge}")
            for entry in own:
                _running(entry)
            if not own:
                st.caption("A run of another visitor." if hidden else why)
    beside = [formatting.pluralize(count, BESIDE[kind]) for kind, count in queue.beside.items()]
    if beside:
        st.caption(f"Beside them: {', '.join(beside)}.")


def _running(entry: Entry) -> None:
    run = entry.run
    assert run is not None
    with job_card.title_row(_title(run, entry)):
        if entry.readers.has_me or visitor.actor().is_operator:
            job_card.cancel_button(run, key=f"queue-cancel-{run.id}", readers=entry.readers)
    share, text = job_card.step_progress(run)
    st.progress(share, text=text + job_card.silence_note(run))


def _own(queue: Queue, starts: Mapping[int, Forecast | None]) -> None:
    """One's own waiting runs, with what is ahead of them."""
    if not queue.own_waiting:
        return
    st.header("Yours", anchor=False)
    own = [
        (place, entry) for place, entry in enumerate(queue.waiting) if entry.readers.has_me and entry.run is not None
    ]
    for place, entry in own[:MOST_OWN]:
        run = entry.run
        assert run is not None
        with st.container(border=True, key=f"own-{run.id}"), job_card.title_row(_title(run, entry)):
            ahead = f"{formatting.pluralize(place, 'run')} before it" if place else "next"
            st.caption(f"{ahead} · starts {_start(entry, queue, starts)}", width="content")
            job_card.cancel_button(run, key=f"queue-cancel-{run.id}", readers=entry.readers)
    if len(own) > MOST_OWN:
        st.caption(f"and {len(own) - MOST_OWN} more, in the table below.")


def _everybody(queue: Queue, starts: Mapping[int, Forecast | None]) -> None:
    st.header("Waiting", anchor=False)
    if not queue.waiting:
        st.markdown("Nobody waits: a run that is started now runs at once." if queue.workers else "Nobody waits.")
    else:
        names = ownership.owner_labels({entry.run.owner for entry in queue.waiting if entry.run is not None})
        st.dataframe(
            [_row(place, entry, queue, starts, names) for place, entry in enumerate(queue.waiting, 1)],
            column_config={
                "place": st.column_config.NumberColumn("", width=40),
                "run": st.column_config.LinkColumn("Run", display_text=r"id=(\d+)", width="small"),
                "starts": st.column_config.TextColumn("Starts"),
                "what": st.column_config.TextColumn("What", width="large"),
                "whose": st.column_config.TextColumn("Whose"),
                "kind": st.column_config.TextColumn("Priority"),
            },
            hide_index=True,
            width="stretch",
            key="queue-table",
        )
    limits = (
        f"You have {queue.own_waiting} of at most {MAX_PER_OWNER} queued runs; all together {len(queue.waiting)} of "
    )
    st.caption(f"{limits}{MAX_TOTAL}.", help=ORDER)


def _row(
    place: int, entry: Entry, queue: Queue, starts: Mapping[int, Forecast | None], names: Mapping[str, str]
) -> dict[str, object]:
    run = entry.run
    mine, others = entry.readers
    more = f" and {formatting.pluralize(others, 'other')}" if others else ""
    return {
        "place": place,
        "run": None if run is None else f"{base_path()}/run?id={run.id}",
        "starts": _start(entry, queue, starts),
        "what": "a run of another visitor" if run is None else run.title,
        "whose": f"yours{more}" if mine else "" if run is None else names[run.owner],
        "kind": "" if run is None else PRIORITIES[run.priority],
    }


def _start(entry: Entry, queue: Queue, starts: Mapping[int, Forecast | None]) -> str:
    paused = queue.is_class and entry.run is not None and entry.run.priority is not Priority.INTERACTIVE
    return expected_starts.in_words(starts.get(entry.number), paused=paused)


def _title(run: Run, entry: Entry) -> str:
    """A run as a link, and whose it is."""
    mine = " :blue-badge[yours]" if entry.readers.has_me else ownership.byline(run)
    others = joined_run.others_note(entry.readers)
    return f"[Run {run.id}: {escape(run.title)}]({base_path()}/run?id={run.id}){mine}{others}"
