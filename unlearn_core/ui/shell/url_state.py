"""What the URL of a page holds: the setup of the lab, and the values of widgets.

* The setup (classifier, forget set, method ...) is shared by all lab pages: `current`, `change` and `write_url`.
* A widget of one page, such as a tab, takes Streamlit's `bind="query-params"`: its key is the parameter, its label the
  value. Links from other pages cannot set it. `accept_former_labels` keeps old links alive.
* A widget that the URL holds by ids or numbers, or that other pages link to, is drawn inside `bound` or `bound_list`.
* What is no widget's value, such as ticked rows, is written by `set_param`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.shell import navigation
from unlearn_core.ui.shell.run_setup import RunSetup, from_params, from_spec, request_params, request_setup, to_params

WIDGET_PREFIXES = ("gallery-", "advanced-", "methods-")
"""Prefixes of query parameters that belong to a widget of one page: Streamlit itself reads and writes them."""

_SETUP, _ERRORS = "setup", "setup trouble"

T = TypeVar("T")


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


def choose_method(method: str) -> None:
    """Change the method, with its first preset; nothing happens if it is the chosen one."""
    if method != current().method:
        change(method=method, preset="", params={})


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
    write_params(to_params(current()))


def write_params(wanted: Mapping[str, str]) -> None:
    """Write these query parameters in place of all others, but for the level and those of the page's own widgets."""
    said = st.query_params.to_dict()
    for name in said.keys() - wanted.keys():
        if name != levels.LEVEL_PARAM and not name.startswith(WIDGET_PREFIXES):
            del st.query_params[name]
    if any(said.get(name) != value for name, value in wanted.items()):
        st.query_params.update(wanted)


def open_page(page: str) -> None:
    """Open a lab page with the setup in its URL."""
    st.switch_page(navigation.page(page), query_params=to_params(current()))


def open_comparison(spec: UnlearnSpec) -> None:
    """Open the page that compares all methods on the request of a run."""
    st.switch_page(navigation.page("methods"), query_params=request_params(request_setup(spec)))


@contextmanager
def bound(
    key: str, name: str, *, default: T, parse: Callable[[str], T], write: Callable[[T], str] = str
) -> Iterator[None]:
    """Keep the widget with this key, which is drawn inside, in the query parameter `name`.

    Before, the widget takes its value from the URL by `parse` if the parameter has changed: on the first visit and
    after navigation. After, `write` makes the parameter; the `default` stands for a missing one.
    """
    written, text = f"{key} as written", st.query_params.get(name, "")
    if key not in st.session_state or st.session_state.get(written) != text:
        st.session_state[key] = parse(text) if text else default
        st.session_state[written] = text
    yield
    value = st.session_state[key]
    st.session_state[written] = "" if value == default else write(value)
    set_param(name, st.session_state[written])


def bound_list(
    key: str, name: str, options: Iterable[T], *, default: Sequence[T] = (), most: int | None = None
) -> AbstractContextManager[None]:
    """Do the same for a widget with several of these options, at `most` so many: the URL separates them by commas."""
    known, usual = {str(option): option for option in options}, list(default)

    def parse(text: str) -> list[T]:
        return [known[part] for part in dict.fromkeys(text.split(",")) if part in known][:most] or usual

    return bound(key, name, default=usual, parse=parse, write=lambda chosen: ",".join(map(str, chosen)))


def parse_number(text: str) -> int | None:
    """A whole number of at most nine digits from the untrusted URL; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def place(name: str, count: int) -> int:
    """The place in a row of `count` that a query parameter names, from 1; a number beyond the last is the last."""
    return min(max(parse_number(st.query_params.get(name, "")) or 1, 1), count)


def turn(name: str, change: int, count: int) -> None:
    """Go on from the place in the URL, so that two quick presses go on by two."""
    set_param(name, str(min(max(place(name, count) + change, 1), count)))


def parse_run(text: str) -> int | None:
    """The number of a run from the untrusted URL; that of a run which ships is negative, as in "-2"."""
    known = {str(one.run.id): one.run.id for one in shipped_runs.shipped_runs()}
    return known.get(text, parse_number(text))


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
