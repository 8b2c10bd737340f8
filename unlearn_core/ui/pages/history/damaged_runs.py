"""Runs whose record in the database is damaged: repaired from their folders where possible, else named on the page."""

from collections.abc import Collection

import streamlit as st

from unlearn_core.domain.run import Run
from unlearn_core.ui.shell import cache


def readable(runs: Collection[int]) -> dict[int, Run]:
    """Return these runs by id, without those that were deleted; say which of them are damaged, and offer to delete."""
    store = cache.store()
    found = store.listing.runs(runs)
    missing = set(runs) - found.keys()
    if not missing:
        return found
    lost = store.repair(missing)
    if lost:
        _show(lost)
    return store.listing.runs(runs)


def _show(lost: list[int]) -> None:
    one, names = len(lost) == 1, ", ".join(map(str, lost))
    st.warning(
        f"The record{'' if one else 's'} of run{'' if one else 's'} {names} in the database "
        f"{'is' if one else 'are'} damaged, and {'its folder has' if one else 'their folders have'} no copy. "
        "All other runs are listed.",
        icon=":material/broken_image:",
    )
    with st.popover("Delete damaged records", icon=":material/delete:"):
        st.markdown(f"**Run{'' if one else 's'} {names}** will be deleted permanently, with what is in the folder.")
        st.button("Delete permanently", type="primary", key="delete-damaged", on_click=_delete, args=(lost,))


def _delete(runs: list[int]) -> None:
    for run in runs:
        cache.store().delete(run)
