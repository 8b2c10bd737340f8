"""Whose runs the history lists: one's own, or everybody's, where there are runs of others."""

from collections.abc import Sequence

import streamlit as st

from unlearn_core.domain.run import RunBrief
from unlearn_core.ui.pages.history import filters
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import cache, ownership, url_state

KEY, PARAM = "history-whose", "whose"
MINE, ALL = "mine", "all"
TITLES = {MINE: "Mine", ALL: "Everybody's"}


def choose(runs: Sequence[RunBrief]) -> tuple[list[RunBrief], str | None]:
    """Show the choice if there are runs of others; return those that are listed, and whose they are, None for all.

    A link that filters by owner opens on everybody's, and so does every visit while a class is being held.
    """
    me = visitor.actor().id
    own = [run for run in runs if run.is_mine]
    if len(own) == len(runs):
        return own, None
    shows_all = f"{filters.PREFIX}owner" in st.query_params or cache.store().queue.is_class()
    usual = ALL if shows_all else MINE
    with url_state.bound(KEY, PARAM, default=usual, parse=lambda text: text if text in TITLES else usual):
        chosen = st.segmented_control(
            "Whose runs",
            list(TITLES),
            format_func=lambda one: f"{TITLES[one]} ({len(own if one == MINE else runs):,})",
            required=True,
            key=KEY,
            label_visibility="collapsed",
        )
    return (own, me) if chosen == MINE else (list(runs), None)


def labels(runs: Sequence[RunBrief]) -> dict[str, str]:
    """The names of the owners of these runs by id; empty if all are one's own, which needs no saying."""
    owners = {run.owner for run in runs}
    return {} if owners <= {visitor.actor().id} else ownership.owner_labels(owners)
