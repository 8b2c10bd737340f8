"""What is not one's own: whose it is, why a button is disabled, and how a report is shared or pinned."""

from collections.abc import Iterable
from typing import TypeVar

import streamlit as st

from unlearn_core.domain.run import Run, RunBrief
from unlearn_core.settings import settings
from unlearn_core.store.access.owned_items import Item, Kind
from unlearn_core.store.housekeeping import retention
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.markdown import escape

PIN_HELP = "A pinned run stays, although others of its age, or as many, are deleted."
AnyRun = TypeVar("AnyRun", bound=Run | RunBrief)


def is_own(owner: str) -> bool:
    """Whether whoever looks at the page may change what belongs to this owner."""
    return cache.store().access.may_change(owner)


def own_runs(runs: Iterable[AnyRun]) -> list[AnyRun]:
    """Those of some runs that whoever looks at the page may end, delete and add to: they own or joined them."""
    every = list(runs)
    others = [run.id for run in every if not is_own(run.owner)]
    joined = cache.store().joined(others) if others else set[int]()
    return [run for run in every if run.id in joined or is_own(run.owner)]


def run_refusal(*runs: Run | RunBrief) -> str | None:
    """Why some of these runs cannot be ended, deleted or added to here, as a tooltip; None if all can."""
    own = {run.id for run in own_runs(runs)}
    return refusal(run.owner for run in runs if run.id not in own)


def refusal(owners: Iterable[str]) -> str | None:
    """Why something of these owners cannot be changed here, as a tooltip; None if it can."""
    others = sorted({owner for owner in owners if not is_own(owner)})
    if not others:
        return None
    called = " and ".join(owner_labels(others).values())
    return f"It belongs to {called}: only they, or the operator of this server, can do this."


def item_refusal(kind: Kind, name: str) -> str | None:
    """Why a user's classifier or data set cannot be changed here, as a tooltip; None if it can."""
    if cache.store().items.changeable([Item(kind, name)]):
        return None
    return "It belongs to another visitor: only they, or the operator of this server, can do this."


def owner_labels(owners: Iterable[str]) -> dict[str, str]:
    """The names of owners by id; without names where sharing is private, but for one's own."""
    ids, store = list(owners), cache.store()
    if store.access.reads_all:
        return store.visitors.labels(ids)
    return {owner: store.visitors.name() if is_own(owner) else "another visitor" for owner in ids}


def is_private() -> bool:
    """Whether there may be runs and sweeps that whoever looks at the page cannot see."""
    return not cache.store().access.reads_all


def byline(run: Run) -> str:
    """Who made a run, as Markdown to follow its number; "" for one's own."""
    if run.owner == visitor.actor().id:
        return ""
    return f" · by {escape(owner_labels([run.owner])[run.owner])}"


def share_button(run: Run) -> None:
    """Show the button that lets everybody with the link read a report, where sharing is private."""
    if settings().sharing == "open" or not is_own(run.owner):
        return
    label = "Stop sharing" if run.shared else "Share"
    st.button(
        label,
        icon=":material/lock:" if run.shared else ":material/share:",
        key="share",
        on_click=_share,
        args=(run,),
        help="Nobody but you and the operator can open it then."
        if run.shared
        else "Everybody with the link can then open this report and see the images of its data set.",
    )


def pin_button(run: Run) -> None:
    """Show the button that keeps a run although retention would delete it, where retention is on."""
    if not is_own(run.owner) or not (retention.is_on() or run.pinned):
        return
    st.button(
        "Unpin" if run.pinned else "Pin",
        icon=":material/keep_off:" if run.pinned else ":material/keep:",
        key="pin",
        on_click=_pin,
        args=(run,),
        help=PIN_HELP,
    )


def _pin(run: Run) -> None:
    cache.store().pin(run.id, pinned=not run.pinned)


def _share(run: Run) -> None:
    cache.store().share(run.id, shared=not run.shared)
