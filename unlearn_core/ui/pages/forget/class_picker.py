"""Choosing whole classes: a card each with six pictures, a page of them at a time where there are many."""

import streamlit as st

from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 20
"""Cards at a time: the pictures of hundreds would take seconds to make and megabytes to send."""

_PAGE, _FIND, _TICKED = "gallery-classes", "gallery-find", "gallery-chosen"


def show(plan: RunPlan) -> None:
    """A card a class: six of its pictures, a tick, and how often the classifier is right about it."""
    if len(plan.dataset.classes) > PER_PAGE:
        _paged(plan)
    else:
        _cards(plan, range(len(plan.dataset.classes)))
    if _right(plan) is not None:
        st.caption(f"Right: on {formatting.pluralize(plan.dataset.test, 'test picture')} that no training has seen.")


@st.fragment
def _paged(plan: RunPlan) -> None:
    """Classes by the hundred: found by a part of their name, or page by page."""
    found = _filtered(plan)
    if not found:
        st.info("No class is called that." if st.session_state[_FIND].strip() else "No class is ticked yet.")
        return
    pages = -(-len(found) // PER_PAGE)
    if st.session_state.get(_PAGE, 1) > pages:
        st.session_state[_PAGE] = pages
    slot = st.container()
    with st.container(horizontal=True, horizontal_alignment="center"):
        page = st.pagination(pages, key=_PAGE, bind="query-params")
    with slot:
        _cards(plan, found[(page - 1) * PER_PAGE : page * PER_PAGE])


def _filtered(plan: RunPlan) -> list[int]:
    """The classes to page through, after the row that narrows them down."""
    classes, chosen = plan.dataset.classes, url_state.current().classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        said = st.text_input(
            "Find a class",
            placeholder="a part of its name",
            key=_FIND,
            bind="query-params",
            icon=":material/search:",
            width=260,
            on_change=_first_page,
        )
        only = st.toggle("Only ticked ones", key=_TICKED, bind="query-params", on_change=_first_page)
        st.caption(f"{len(chosen):,} of {len(classes):,} classes ticked", width="content")
    wanted = said.strip().casefold()
    numbers = chosen if only else range(len(classes))
    return [number for number in numbers if wanted in classes[number].casefold()]


def _cards(plan: RunPlan, numbers: list[int] | range) -> None:
    right, chosen = _right(plan), url_state.current().classes
    grid = st.grid(5, min_column_width=150)
    for number in numbers:
        name = plan.dataset.classes[number]
        with grid.cell(), st.container(border=True, gap="xsmall"):
            shown = cache.class_preview(plan.dataset.id, number)
            st.image(shown, width="stretch", alt=f"Six training pictures of the class {name}")
            key = f"class-{plan.dataset.id}-{number}"
            st.session_state[key] = number in chosen
            st.checkbox(f"**{escape(name)}**", key=key, on_change=_tick, args=(number, key))
            if right is not None:
                st.caption(f"right {round(100 * right[number])} % of the time")


def _right(plan: RunPlan) -> list[float] | None:
    return cache.class_accuracies(plan.classifier.id, plan.dataset.id, plan.classifier.seed)


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _tick(number: int, key: str) -> None:
    chosen = {*url_state.current().classes}
    url_state.change(classes=tuple(sorted(chosen | {number} if st.session_state[key] else chosen - {number})))
    st.rerun()  # The whole page: strip, foot and address count what is ticked.
