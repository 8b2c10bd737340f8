"""The page History: the table of all runs and the actions on ticked rows. Imports no torch."""

import hashlib
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import ALL_RUNS, UNFINISHED_STATES, Run, RunBrief, RunFilter, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import restore
from unlearn_core.store.housekeeping import notices, retention
from unlearn_core.ui.components import paged_grid
from unlearn_core.ui.pages.history import damaged_runs, filters, grouping, import_settings, shipped_table, whose
from unlearn_core.ui.pages.history.grouping import HistoryGroup
from unlearn_core.ui.pages.history.run_table import COLUMNS, table
from unlearn_core.ui.server import urls, visitor
from unlearn_core.ui.shell import cache, formatting, navigation, ownership, url_state, worker_status

TICKED_PARAM = "ticked"
"""The URL parameter of the ticked runs."""

PER_PAGE = 200
"""The most rows of a page of the table; all trials of a sweep are one row."""

KINDS = ("unlearn", "gold", "train", "add")
"""The kinds of runs that are listed."""

_EXPANDED = "history expanded"


def show() -> None:
    """Show the table and the actions on ticked rows; keep both up to date while something runs."""
    is_empty = not cache.store().listing.has_any(kinds=KINDS)
    if visitor.actor().is_operator:
        _restored()
    if is_empty:
        _empty()
        shipped_table.show(unfolded=True)
        return
    for sentence in notices.own_notices(cache.store()):
        st.info(sentence, icon=":material/auto_delete:")
    busy = cache.store().listing.has_any(kinds=KINDS, states=UNFINISHED_STATES)
    st.fragment(_board, run_every=worker_status.BACKGROUND_POLL_SECONDS if busy else None, key="history")(busy)
    import_settings.show()
    shipped_table.show(unfolded=False)


def _runs(run_filter: RunFilter = ALL_RUNS) -> list[RunBrief]:
    return cache.store().listing.briefs(kinds=KINDS, matching=run_filter)


def table_key(runs: Sequence[RunBrief]) -> str:
    """The table's widget key, which changes with its rows: ticks are row numbers and must not move to other runs."""
    return f"runs-{hashlib.sha256(str([run.id for run in runs]).encode()).hexdigest()[:12]}"


def _restored() -> None:
    """Show which runs were restored from folders, until the notice is hidden."""
    notice = restore.notice(open_data_dir())
    if notice:
        st.info(notice, icon=":material/settings_backup_restore:")
        st.button("Hide this notice", key="restored-read", on_click=restore.dismiss, args=(open_data_dir(),))


def _empty() -> None:
    is_private = ownership.is_private()
    begins = "You have run nothing here yet" if is_private else "Nothing has been run here yet"
    others = " You see a run of somebody else by its link, once they have shared it." if is_private else ""
    st.markdown(f"{begins}. The first run takes seconds, and its report is stored.{others}")
    with st.container(horizontal=True):
        if st.button("Choose what to forget", type="primary", icon=":material/ink_eraser:", key="to-forget"):
            url_state.open_page("forget")
        if st.button("See a finished run", icon=":material/visibility:", key="to-example"):
            st.switch_page(navigation.page("run"), query_params={"id": "example"})
        import_settings.show()


def _board(was_busy: bool) -> None:
    runs = _runs()
    if not runs or any(not run.state.is_finished for run in runs) != was_busy:
        st.rerun()
    if was_busy:
        waiting = [run for run in runs if not run.state.is_finished]
        has_queued = any(run.state is RunState.QUEUED for run in waiting)
        worker_status.show_for_ids([run.id for run in waiting], has_queued=has_queued, key_scope="history")
    runs, owner = whose.choose(runs)
    if not runs:
        st.markdown("None of these runs is yours. Yours appear here as soon as you start one.")
        return
    run_filter = filters.show(runs, owner=owner)
    if run_filter != RunFilter(owners=() if owner is None else (owner,)):
        runs = _runs(run_filter)
        if not runs:
            st.markdown("No run matches these filters.")
            st.button("Show all runs", icon=":material/filter_alt_off:", key="show-all", on_click=filters.clear)
            return
    actions = st.container()
    rows, place = _page(grouping.group_runs(runs, st.session_state.get(_EXPANDED, ())))
    shown = damaged_runs.readable({run for entry in rows for run in entry.shown})
    rows = [entry for entry in rows if entry.head.id in shown]  # One may be deleted in this moment.
    picked = place.dataframe(
        table(rows, shown, owners=whose.labels(runs)),
        hide_index=True,
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        row_height=44,
        height="content",
        placeholder="–",
        lazy=False,
        key=table_key([entry.head for entry in rows]),
        selection_default={"selection": {"rows": _ticked_rows(rows)}},
        alt="All runs: forget set, method, accuracies of the original, unlearned and retrained model, "
        "distance, seconds, date, classifier, preset, seed, and note",
    )
    click = st.session_state.get("history-open")
    if click is not None:
        _open(rows[click["row"]])
    ticked = [rows[row] for row in picked["selection"]["rows"]]
    url_state.set_param(TICKED_PARAM, ",".join(str(entry.head.id) for entry in ticked))
    with actions:
        _actions(ticked, [shown[entry.head.id] for entry in ticked])


def _page(rows: list[HistoryGroup]) -> tuple[list[HistoryGroup], DeltaGenerator]:
    """The rows of the chosen page, and where they belong; without page numbers where one page holds them all."""
    if len(rows) <= PER_PAGE:
        return rows, st.container()
    page = paged_grid.choose_page(len(rows), PER_PAGE, key=f"history-page-{-(-len(rows) // PER_PAGE)}")
    return rows[page.items], page.place


def _ticked_rows(rows: Sequence[HistoryGroup]) -> list[int]:
    """The rows of the runs that are ticked in the URL."""
    numbers = st.query_params.get(TICKED_PARAM, "").split(",")
    return [place for place, entry in enumerate(rows) if str(entry.head.id) in numbers]


def _actions(ticked: list[HistoryGroup], picked: list[Run]) -> None:
    """Show the actions on the ticked rows; the buttons are always there, so that nothing moves.

    A group is cancelled and deleted as a whole, and compared by its representative, which is `picked`.
    """
    one = picked[0] if len(picked) == 1 else None
    every = list({run.id: run for entry in ticked for run in entry.runs}.values())
    own = ownership.own_runs(every)
    over = [run for run in own if run.state.is_finished]
    going = [run for run in own if not run.state.is_finished]
    refusal = ownership.run_refusal(*every)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Open", icon=":material/open_in_new:", key="open", disabled=one is None) and one:
            _open(ticked[0])
        group = ticked[0].group if len(ticked) == 1 else None
        expanded = group in st.session_state.get(_EXPANDED, ())
        st.button(
            "Hide runs" if expanded else "Show runs",
            icon=f":material/unfold_{'less' if expanded else 'more'}:",
            key="unfold",
            disabled=group is None,
            help="Lists each run of a group (seeds, methods, or trials of a sweep) in its own row.",
            on_click=_toggle,
            args=(group,),
        )
        spec = one.spec if one and isinstance(one.spec, UnlearnSpec) else None
        if st.button("Change and run again", icon=":material/fork_right:", key="again", disabled=not spec) and spec:
            url_state.load_spec(spec)
            url_state.open_page("method")
        done = [run for run in picked if run.state is RunState.DONE and isinstance(run.spec, UnlearnSpec)]
        able = 2 <= len(done) <= urls.MAX_RUNS and len(done) == len(picked)
        if st.button("Compare", icon=":material/compare_arrows:", key="compare", disabled=not able):
            st.switch_page(
                navigation.page("compare"), query_params=urls.comparison_params([run.id for run in done[::-1]])
            )
        st.button(
            "Cancel",
            icon=":material/stop:",
            key="cancel",
            disabled=not going,
            help=refusal,
            on_click=_cancel,
            args=(going,),
        )
        _pin_button(over, refusal)
        label = "Delete" if len(over) < 2 else f"Delete {len(over)}"
        with st.popover(label, icon=":material/delete:", disabled=not over, help=refusal):
            st.markdown(
                f"**{formatting.pluralize(len(over), 'run')}** will be deleted permanently, with reports and weights. "
                "A run that others asked for too stays with them."
            )
            st.button("Delete permanently", type="primary", key="delete", on_click=_delete, args=(over,))
        st.text_input(
            "Note",
            value=one.note if one else "",
            key=f"note-{one.id if one else 'none'}",
            placeholder="Tick one run to add a note" if one is None else "A note on this run",
            label_visibility="collapsed",
            max_chars=500,
            disabled=one is None or not ownership.is_own(one.owner),
            on_change=_note,
            args=(one,),
            width=300,
        )


def _pin_button(runs: list[RunBrief], refusal: str | None) -> None:
    """Show the button that pins the ticked runs, or unpins them once all are pinned, where retention is on."""
    pinned = cache.store().belongings.all_pinned()
    if not retention.is_on() and not pinned:
        return
    unpins = bool(runs) and all(run.id in pinned for run in runs)
    st.button(
        "Unpin" if unpins else "Pin",
        icon=":material/keep_off:" if unpins else ":material/keep:",
        key="pin",
        disabled=not runs,
        help=refusal or ownership.PIN_HELP,
        on_click=_pin,
        args=(runs, not unpins),
    )


def _pin(runs: list[RunBrief], pinned: bool) -> None:
    for run in runs:
        cache.store().pin(run.id, pinned=pinned)


def _toggle(group: str) -> None:
    """Expand a group, or collapse it again."""
    st.session_state[_EXPANDED] = set(st.session_state.get(_EXPANDED, ())) ^ {group}


def _open(entry: HistoryGroup) -> None:
    if entry.is_group and entry.sweep is not None:
        st.switch_page(navigation.page("sweep"), query_params={"sweep": entry.sweep})
    if entry.is_group and entry.item_label == "method":
        spec = cache.store().get(entry.head.id).spec
        if isinstance(spec, UnlearnSpec):
            url_state.open_comparison(spec)
    st.switch_page(navigation.page("run"), query_params={"id": str(entry.head.id)})


def _cancel(runs: list[RunBrief]) -> None:
    for run in runs:
        cache.store().cancel(run.id)


def _delete(runs: list[RunBrief]) -> None:
    for run in runs:
        cache.store().delete(run.id)


def _note(run: Run) -> None:
    cache.store().set_note(run.id, st.session_state[f"note-{run.id}"])
