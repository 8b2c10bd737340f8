"""Every run that was made here, as a table that one would like to read. Nothing here needs torch."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.catalog import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import MODELS, forgotten
from unlearn_core.domain.run import GoldSpec, Run, RunSpec, RunState
from unlearn_core.ui import chart, compare, fold, frame, incoming, session, spark, studio, words
from unlearn_core.ui.fold import Entry

TICKED = "ticked"
"""What the address calls the runs that are ticked."""
POLL = 2.0
"""Seconds between two looks at the runs while one of them is unfinished."""

MOST, READ = 200, 1_000
"""Rows of the table at most, and runs that are looked through for them: a sweep's trials are one row."""

_UNFOLDED = "history unfolded"

STATES = {
    "queued": "◌ waiting",
    "running": "◔ running",
    "done": "● done",
    "failed": "✕ failed",
    "cancelled": "○ cancelled",
}
_MARKS = "Accuracy: ○ before, ● after, ◆ gold"
COLUMNS = {
    "run": st.column_config.ButtonColumn("", width=60, type="tertiary", key="history-open"),
    "picture": st.column_config.ImageColumn("", width=50, help="A picture of what was forgotten"),
    "forgotten": st.column_config.TextColumn("Forgotten", width=92),
    "method": st.column_config.TextColumn("Method", width=92),
    "state": st.column_config.TextColumn("State", width=98),
    "forgot": st.column_config.ImageColumn("Forgotten ones", width=100, help=_MARKS),
    "forget after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "kept": st.column_config.ImageColumn("Kept ones", width=100, help=_MARKS),
    "retain after": st.column_config.NumberColumn("after", width=62, format="%.1f %%"),
    "retain gold": st.column_config.NumberColumn("gold", width=62, format="%.1f %%"),
    "note": st.column_config.TextColumn("Note", width=76),
    "when": st.column_config.DatetimeColumn("When", width=110, format="distance"),
}


def show() -> None:
    """The table, what can be done with the ticked rows, and fresh figures while something runs."""
    runs = _runs()
    if not runs:
        _empty()
        return
    busy = any(not run.state.is_finished for run in runs)
    st.fragment(_board, run_every=POLL if busy else None, key="history")(busy)
    incoming.offer()


def _runs() -> list[Run]:
    return studio.store().list(kinds=("unlearn", "gold", "train", "add"), limit=READ)


def table(entries: Sequence[Entry]) -> pd.DataFrame:
    """One row an entry, newest first; accuracies in percent on unseen pictures, else on training ones.

    The figures of a group of seeds are their means; those of a sweep's trials have none.
    """
    return pd.DataFrame([_row(entry) for entry in entries], columns=list(COLUMNS))


def key_of(runs: Sequence[Run]) -> str:
    """The table's key. Ticks are row numbers, so they must not outlive the rows that they were meant for."""
    return f"runs-{hashlib.sha256(str([run.id for run in runs]).encode()).hexdigest()[:12]}"


def _empty() -> None:
    st.markdown("Nothing has been run here yet. The first run takes seconds, and its report is kept.")
    with st.container(horizontal=True):
        if st.button("Choose what to forget", type="primary", icon=":material/ink_eraser:", key="to-forget"):
            session.go("forget")
        if st.button("See a finished run", icon=":material/visibility:", key="to-example"):
            st.switch_page(frame.page("run"), query_params={"id": "example"})
        incoming.offer()


def _board(was_busy: bool) -> None:
    runs = _runs()
    if not runs or any(not run.state.is_finished for run in runs) != was_busy:
        st.rerun()
    actions = st.container()
    rows = fold.entries(runs, st.session_state.get(_UNFOLDED, ()))[:MOST]
    picked = st.dataframe(
        table(rows),
        hide_index=True,
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        row_height=44,
        height="content",
        placeholder="–",
        lazy=False,
        key=key_of([entry.head for entry in rows]),
        selection_default={"selection": {"rows": _asked(rows)}},
        alt="Every run: what was forgotten, how, accuracies before, after and of gold, note, and when",
    )
    click = st.session_state.get("history-open")
    if click is not None:
        _open(rows[click["row"]])
    ticked = [rows[row] for row in picked["selection"]["rows"]]
    session.put(TICKED, ",".join(str(entry.head.id) for entry in ticked))
    with actions:
        _actions(ticked)


def _asked(rows: Sequence[Entry]) -> list[int]:
    """The rows of the runs that the address says are ticked."""
    numbers = st.query_params.get(TICKED, "").split(",")
    return [place for place, entry in enumerate(rows) if str(entry.head.id) in numbers]


def _actions(ticked: list[Entry]) -> None:
    """What can be done with the ticked rows. The row of buttons is always there, so that nothing jumps.

    A folded group is cancelled and deleted as a whole, and compared by the run that stands for it.
    """
    picked = [entry.head for entry in ticked]
    one = picked[0] if len(picked) == 1 else None
    every = list({run.id: run for entry in ticked for run in entry.runs}.values())
    over = [run for run in every if run.state.is_finished]
    going = [run for run in every if not run.state.is_finished]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Open", icon=":material/open_in_new:", key="open", disabled=one is None) and one:
            _open(ticked[0])
        group = ticked[0].group if len(ticked) == 1 else None
        unfolded = group in st.session_state.get(_UNFOLDED, ())
        st.button(
            "Fold" if unfolded else "Unfold",
            icon=f":material/unfold_{'less' if unfolded else 'more'}:",
            key="unfold",
            disabled=group is None,
            help="Shows each run of a group in a row of its own: seeds, or trials of a sweep.",
            on_click=_fold,
            args=(group,),
        )
        spec = one.spec if one and isinstance(one.spec, RunSpec) else None
        if st.button("Change and run again", icon=":material/fork_right:", key="again", disabled=not spec) and spec:
            session.take(spec)
            session.go("method")
        done = [run for run in picked if run.state is RunState.DONE and isinstance(run.spec, RunSpec)]
        able = 2 <= len(done) <= compare.MOST and len(done) == len(picked)
        if st.button("Compare", icon=":material/compare_arrows:", key="compare", disabled=not able):
            st.switch_page(frame.page("compare"), query_params=compare.address(done[::-1]))
        st.button("Cancel", icon=":material/stop:", key="cancel", disabled=not going, on_click=_cancel, args=(going,))
        label = "Delete" if len(over) < 2 else f"Delete {len(over)}"
        with st.popover(label, icon=":material/delete:", disabled=not over):
            st.markdown(f"**{words.counted(len(over), 'run')}** will be gone for good, reports and weights included.")
            st.button("Delete for good", type="primary", key="delete", on_click=_delete, args=(over,))
        st.text_input(
            "Note",
            value=one.note if one else "",
            key=f"note-{one.id if one else 'none'}",
            placeholder="Tick one run to write a note beside it" if one is None else "What should be remembered of it?",
            label_visibility="collapsed",
            max_chars=500,
            disabled=one is None,
            on_change=_note,
            args=(one,),
            width=300,
        )


def _fold(group: str) -> None:
    """Unfolds a group that is folded, and folds one that is not."""
    st.session_state[_UNFOLDED] = set(st.session_state.get(_UNFOLDED, ())) ^ {group}


def _open(entry: Entry) -> None:
    if entry.folds and entry.sweep is not None and "sweep" in frame.SCREENS:
        st.switch_page(frame.page("sweep"), query_params={"sweep": entry.sweep})
    st.switch_page(frame.page("run"), query_params={"id": str(entry.head.id)})


def _cancel(runs: list[Run]) -> None:
    for run in runs:
        studio.store().cancel(run.id)


def _delete(runs: list[Run]) -> None:
    for run in runs:
        studio.store().delete(run.id)


def _note(run: Run) -> None:
    studio.store().note(run.id, st.session_state[f"note-{run.id}"])


def _row(entry: Entry) -> dict[str, Any]:
    run, accuracy = entry.head, entry.accuracy
    what, method, picture = _words(run)
    if entry.inner and isinstance(run.spec, RunSpec):
        what = f"↳ seed {run.spec.seed}" if entry.thing == "seed" else "↳ a trial"
    forget = [_unseen(accuracy.get(model), "forget") for model in MODELS]
    retain = [_unseen(accuracy.get(model), "retain") for model in MODELS]
    theme = chart.theme()
    return {
        "run": f"Sweep {entry.sweep}" if entry.folds and entry.sweep else f"Run {run.id}",
        "picture": picture,
        "forgotten": what,
        "method": method,
        "state": fold.state(entry, STATES),
        "forgot": spark.dumbbell(forget, theme),
        "forget after": _percent(forget[1]),
        "kept": spark.dumbbell(retain, theme),
        "retain after": _percent(retain[1]),
        "retain gold": _percent(retain[2]),
        "note": run.note,
        "when": max(own.finished or own.started or own.created for own in entry.runs),
    }


def _words(run: Run) -> tuple[str, str, str | None]:
    """What was forgotten, how, and a picture of it; as far as the shelves still know."""
    spec = run.spec
    if not isinstance(spec, RunSpec | GoldSpec):
        return run.title, "", None
    try:
        card = datasets.card(spec.request.dataset)
        what = forgotten(RunSpec(request=spec.request, method="", params={}), card)
        picture = _picture(spec, card.id)
    except UnlearnError:
        return run.title, "", None
    # The method's title is known to its file, which needs torch; a run's title ends with it.
    said = run.title.removeprefix(f"Forget {what} with ")
    method = "gold" if isinstance(spec, GoldSpec) else said if said != run.title else spec.method
    return what, method, picture


def _picture(spec: RunSpec | GoldSpec, dataset: str) -> str:
    wish = spec.request.forget
    if wish.kind == "images":
        number = wish.images[0]
    else:
        number = int((studio.pictures(dataset).labels == wish.classes[0]).argmax())
    return spark.address(studio.thumbnail(dataset, number), "image/png")


def _unseen(known: dict[str, float | None] | None, side: str) -> float | None:
    if not known:
        return None
    unseen = known.get(f"{side}_test")
    return known.get(f"{side}_train") if unseen is None else unseen


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
