"""A long list of cards, a page of them at a time: above the grid, below it the page numbers."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


class ListPage(NamedTuple):
    """The chosen page of a list."""

    items: slice
    """Where its items stand in the list."""
    place: DeltaGenerator
    """Where its cards belong, above the page numbers."""


def choose_page(count: int, per_page: int, *, key: str, bound: bool = True) -> ListPage:
    """Show the page numbers of a list with at least one item, and return the chosen page.

    It is the last one if the list has become too short for the page that was chosen before. The URL holds the page if
    it is `bound`.
    """
    pages = -(-count // per_page)
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = pages
    place = st.container()
    row = st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center")
    page = row.pagination(pages, key=key, bind="query-params" if bound else None)
    return ListPage(slice((page - 1) * per_page, page * per_page), place)
