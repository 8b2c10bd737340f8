"""Running and failed imports of data sets: progress, cancelling, and the reasons of failures."""

import streamlit as st

from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.domain.run import Run, RunState
from unlearn_core.ui.components import job_card
from unlearn_core.ui.pages.datasets import page
from unlearn_core.ui.shell import cache, formatting, navigation, ownership, worker_status
from unlearn_core.ui.shell.markdown import escape

MAX_SHOWN = 5
"""Largest number of failed imports to show."""

_SEEN = "arrivals seen"

_DOING = {
    "download": "Downloading, {done:,} of {total:,} MB",
    "check": "Comparing checksums, {done:,} of {total:,} MB",
    "unpack": "Unpacking",
    "collect": "Collecting images, {done:,} of {total:,}",
    "decode": "Decoding images, {done:,} of {total:,}",
    "write": "Writing images, {done:,} of {total:,}",
    "compare": "Looking for copies among the images, {done:,} of {total:,}",
}


def show() -> None:
    """Show a card for each unfinished and each failed import, and a message for those that succeeded."""
    runs = _runs()
    _announce(runs)
    going = [run for run in runs if not run.state.is_finished]
    if going:
        st.fragment(_board, run_every=worker_status.POLL_SECONDS, key="arrivals")(tuple(run.id for run in going))
    own = ownership.own_runs(runs)
    for run in [run for run in own if run.state is RunState.FAILED][:MAX_SHOWN]:
        _failed(run)


def watch_import(run: int, dataset: str) -> None:
    """Record that this visitor waits for an import, so that its data set is shown when it is ready."""
    st.session_state.setdefault(_SEEN, {})[run] = dataset


def is_waiting() -> bool:
    """Return whether this visitor waits for an import."""
    return bool(st.session_state.get(_SEEN))


def _runs() -> list[Run]:
    return cache.store().list_runs(kinds=("import",), limit=50)


def _announce(runs: list[Run]) -> None:
    """Show a data set that this visitor has waited for, once, and say that it is ready."""
    waited: dict[int, str] = st.session_state.get(_SEEN, {})
    for run in runs:
        if run.id in waited and run.state.is_finished:
            dataset = waited.pop(run.id)
            if run.state is RunState.DONE:
                page.select_dataset(dataset)
                left = run.metrics.num_skipped
                was = "was" if left == 1 else "were"
                more = f" {formatting.pluralize(left, 'image')} could not be used and {was} left out." if left else ""
                more += f" {escape(run.metrics.note)}" if run.metrics.note else ""
                title = run.spec.title if isinstance(run.spec, ImportDatasetSpec) else run.title
                st.success(f"**{escape(title)}** is ready.{more}", icon=":material/check:")


def _board(numbers: tuple[int, ...]) -> None:
    """Show the cards; when an import finishes, the whole page is run again."""
    runs = [cache.store().get(number) for number in numbers]
    if any(run.state.is_finished for run in runs):
        st.rerun()
    worker_status.show(*runs, key_scope="arrivals")
    for run in runs:
        with st.container(border=True):
            job_card.show(run, f"**{escape(run.title)}**", _progress(run), key=f"cancel-{run.id}")


def _progress(run: Run) -> tuple[float, str]:
    """The completed share of the current phase, and a text that describes it."""
    if run.state is RunState.QUEUED:
        return 0.0, f"{job_card.queue_position(run)} You can leave this page; the import continues."
    progress = run.progress
    now = next((phase for phase in progress.phases if phase.name == progress.stage), None) if progress else None
    if now is None or now.name not in _DOING:
        return 0.0, ":shimmer[Preparing]"
    share = min(1.0, now.done / now.steps) if now.steps else 0.0
    return share, _DOING[now.name].format(done=now.done, total=now.steps) + "."


def _failed(run: Run) -> None:
    assert isinstance(run.spec, ImportDatasetSpec)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f":red-badge[:material/error: failed] **{escape(run.title)}**")
            st.markdown(
                escape(run.error or "The worker gave no reason; worker.log in the data folder may contain more.")
            )
            navigation.bug_report(run.error, key_scope="import")
        st.button("Dismiss", key=f"dismiss-{run.id}", on_click=_dismiss, args=(run.id,))


def _dismiss(run: int) -> None:
    cache.store().delete(run)
