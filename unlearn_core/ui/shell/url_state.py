"""The session's setup: read once from the URL, and written back to it by every lab page."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.ui.shell import navigation
from unlearn_core.ui.shell.run_setup import RunSetup, from_params, from_spec, to_params

WIDGET_PREFIXES = ("gallery-", "advanced-")
"""Prefixes of query parameters that belong to a widget of one page: Streamlit itself reads and writes them."""

_SETUP, _ERRORS = "setup", "setup trouble"


def current() -> RunSetup:
    """This session's setup; the first call reads it from the URL."""
    if _SETUP not in st.session_state:
        setup, trouble = from_params(st.query_params.to_dict())
        st.session_state[_SETUP], st.session_state[_ERRORS] = setup, trouble
    return st.session_state[_SETUP]


def change(**fields: Any) -> RunSetup:
    """Change some fields of the setup, and return it."""
    st.session_state[_SETUP], st.session_state[_ERRORS] = replace(current(), **fields), []
    return st.session_state[_SETUP]


def load_spec(spec: UnlearnSpec) -> RunSetup:
    """Take a run's spec as the session's setup.

    Raises NotFoundError or InvalidHyperparameterError if it cannot be run any more.
    """
    st.session_state[_SETUP], st.session_state[_ERRORS] = from_spec(spec), []
    return st.session_state[_SETUP]


def errors() -> list[str]:
    """Sentences about what in the URL could not be used; shown until the setup is changed."""
    return st.session_state.get(_ERRORS, [])


def write_url() -> None:
    """Write the setup into the URL of the current page, and leave the parameters of the page's own widgets alone."""
    wanted, said = to_params(current()), st.query_params.to_dict()
    for name in said.keys() - wanted.keys():
        if not name.startswith(WIDGET_PREFIXES):
            del st.query_params[name]
    if any(said.get(name) != value for name, value in wanted.items()):
        st.query_params.update(wanted)


def open_page(page: str) -> None:
    """Open a lab page with the setup in its URL."""
    st.switch_page(navigation.page(page), query_params=to_params(current()))


def bind_from_url(key: str, name: str, parse: Callable[[str], Any]) -> None:
    """Before a widget is drawn: set its value from the query parameter `name`, if that has changed.

    `parse` makes the value from the text ("" if the parameter is missing). It counts as changed on the first visit and
    after navigation, but not if `bind_to_url` wrote it.
    """
    text = st.query_params.get(name, "")
    if key not in st.session_state or st.session_state.get(_written(key)) != text:
        st.session_state[key] = parse(text)
        st.session_state[_written(key)] = text


def bind_to_url(key: str, name: str, text: str) -> None:
    """After a widget was drawn: write its value into the query parameter `name`; "" removes it."""
    st.session_state[_written(key)] = text
    set_param(name, text)


def accept_former_labels(key: str, former: Mapping[str, str]) -> None:
    """Before a widget with `bind="query-params"` is drawn: replace a label of a former release in the URL.

    Streamlit writes the label of the chosen option into links; `former` gives today's label by the one in old links.
    The widget takes its first value from the URL that this run began with, so the page is run once more.
    """
    label = former.get(st.query_params.get(key, ""))
    if label is not None and key not in st.session_state:
        st.query_params[key] = label
        st.rerun()


def set_param(name: str, text: str) -> None:
    """Set a query parameter of the current page; "" removes it."""
    if text == st.query_params.get(name, ""):
        return
    if text:
        st.query_params[name] = text
    elif name in st.query_params:
        del st.query_params[name]


def _written(key: str) -> str:
    return f"{key} as written"
