"""The gallery component: shows a list of images of any length, from which some or one can be selected."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.store.image_lists import format_ranges, parse_ranges
from unlearn_core.ui.gallery import listings
from unlearn_core.ui.gallery.listings import Listing

MANY_HINT = (
    "Click selects or deselects, Shift-click selects a range, dragging selects a rectangle. Keys: arrows, Space."
)
ONE_HINT = "Click an image, or use the arrow keys and Enter."
SCRIPTS = ("selection.js", "sheets.js", "gallery.js")
"""The scripts of the component, in the order in which they build on each other: they become one module."""

_FRONTEND = Path(__file__).parent / "frontend"

_component = component(
    "image-gallery",
    html=(_FRONTEND / "gallery.html").read_text(),
    css=(_FRONTEND / "gallery.css").read_text(),
    js="\n".join((_FRONTEND / name).read_text() for name in SCRIPTS),
)


def select_many(
    listing: Listing,
    selected: Sequence[int],
    on_select: Callable[[tuple[int, ...]], None],
    *,
    key: str,
    label: str,
    noun: str,
    bound: int,
    height: int = 480,
    start: int = 0,
    hint: str = MANY_HINT,
) -> None:
    """Show the list with these images selected; `on_select` gets all that are selected, once a change has settled.

    Images that are selected but not listed stay so. An image has a number below `bound`; `label` says to screen readers
    what is listed. It opens at the item `start`.
    """
    data = _data(listing, selected, label=label, noun=noun, height=height, start=start, hint=hint)
    _show(data | {"multiple": True}, on_select, key=key, bound=bound)


def select_one(
    listing: Listing,
    selected: int | None,
    on_select: Callable[[int], None],
    *,
    key: str,
    label: str,
    noun: str,
    bound: int,
    height: int = 420,
    hint: str = ONE_HINT,
) -> None:
    """Show the list with this image selected; `on_select` gets the one that is clicked."""
    data = _data(
        listing, [] if selected is None else [selected], label=label, noun=noun, height=height, start=0, hint=hint
    )
    _show(data | {"multiple": False}, lambda images: on_select(images[0]), key=key, bound=bound)


def _data(
    listing: Listing, selected: Sequence[int], *, label: str, noun: str, height: int, start: int, hint: str
) -> dict[str, Any]:
    return {
        "url": listings.register(listing),
        "count": len(listing.images),
        "lines": listing.lines,
        "selected": format_ranges(sorted(selected)),
        "label": label,
        "noun": noun,
        "height": height,
        "start": start,
        "hint": hint,
    }


def _show(data: dict[str, Any], on_select: Callable[[tuple[int, ...]], None], *, key: str, bound: int) -> None:
    """Mount the component; its revision tells it which of its selections the data already knows."""
    revision = f"{key} revision"

    def pick() -> None:
        picked = st.session_state[key].get("pick")
        try:
            images = parse_ranges(picked["images"], upper_bound=bound) if picked["images"] else ()
            st.session_state[revision] = int(picked["revision"])
        except (InvalidRequestError, AttributeError, TypeError, KeyError, ValueError):
            st.toast("The gallery sent a selection that this data set does not have. Reload the page.")
            return
        on_select(images)

    _component(
        key=key,
        data=data | {"revision": st.session_state.get(revision, 0)},
        width="stretch",
        height="content",
        on_pick_change=pick,
    )
