"""How much the pages show: three levels, of which a visitor chooses one. The browser remembers it.

* *First look* shows the main hyperparameters, the tabs that anybody can read, and the pages of the main road.
* *Explorer* shows every page and every tab; advanced hyperparameters are folded.
* *Expert* folds nothing, and names what other programs and papers need: names in code and symbols.

No level hides what a visitor has set or what a link opens. A link may name a level, `?level=expert`: it holds for that
visit. What is chosen in the side menu holds for later visits too, by a cookie.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.charts.chart import Section

Level = Literal["first", "explorer", "expert"]

LEVELS: tuple[Level, ...] = get_args(Level)
TITLES: dict[Level, str] = {"first": "First look", "explorer": "Explorer", "expert": "Expert"}
DEFAULT: Level = "explorer"

LEVEL_PARAM = "level"
"""The query parameter of every page that names the level."""
COOKIE = "unlearn-lab-level"
"""The cookie in which the browser remembers the level that was chosen."""

MAIN_HYPERPARAMETERS = 4
"""How many hyperparameters of a method a first look shows: the first ones that are not advanced, in two rows."""
FIRST_SECTIONS: tuple[Section, ...] = ("Overview", "Images", "Classes")
"""The sections of a report that a first look shows."""
LATER_PAGES = ("queue", "datasets", "methods", "sweep", "storage")
"""The pages that the menu leaves out at a first look; links still open them."""

_LEVEL, _WIDGET, _IS_CHOSEN = "level", "level choice", "level is chosen"
_OPENED = "sections opened"

_HELP = (
    "**First look**: the main hyperparameters, and the tabs that need no background. **Explorer**: all tabs and pages; "
    "advanced hyperparameters are folded. **Expert**: nothing is folded, with symbols and names in code. What you have "
    "set is always shown. This browser remembers the choice."
)

# The cookie holds no more than the level; the server reads it when the next visit begins.
_REMEMBER = """
export default function ({ data }) {
  document.cookie = `${data.cookie}=${data.level}; path=/; max-age=31536000; samesite=lax`;
}
"""
_remember = component("remember-level", html="<span hidden></span>", js=_REMEMBER)


def current() -> Level:
    """The level of this visit: the one in the link that began it, else the remembered one, else the default."""
    if _LEVEL not in st.session_state:
        st.session_state[_LEVEL] = _asked() or _remembered() or DEFAULT
    return st.session_state[_LEVEL]


def is_first_look() -> bool:
    """Whether only the essentials are shown."""
    return current() == "first"


def is_expert() -> bool:
    """Whether nothing is folded."""
    return current() == "expert"


def choose(level: Level) -> None:
    """Take this level from now on, on later visits too."""
    st.session_state[_LEVEL], st.session_state[_IS_CHOSEN] = level, True


def begin_with_first_look() -> None:
    """Take the first look for this visit, unless a level has been chosen, by a link or on an earlier visit."""
    if not (st.session_state.get(_IS_CHOSEN) or _remembered() or LEVEL_PARAM in st.query_params):
        st.session_state[_LEVEL] = "first"


def write_url() -> None:
    """Keep the level in the URL of the current page; without it there, a visit shows the default."""
    level = current()
    if level == DEFAULT == (_remembered() or DEFAULT):
        if LEVEL_PARAM in st.query_params:
            del st.query_params[LEVEL_PARAM]
    elif st.query_params.get(LEVEL_PARAM) != level:
        st.query_params[LEVEL_PARAM] = level


def choice() -> None:
    """Draw the choice of a level, and let the browser remember what is chosen."""
    st.session_state[_WIDGET] = current()
    st.radio(
        "Level",
        LEVELS,
        format_func=lambda level: TITLES[level],
        key=_WIDGET,
        help=_HELP,
        on_change=lambda: choose(st.session_state[_WIDGET]),
    )
    if st.session_state.get(_IS_CHOSEN):
        _remember(data={"cookie": COOKIE, "level": current()}, key="remember-level", height="content", width="content")


def sections(every: Sequence[Section]) -> list[Section]:
    """The sections of a report that are tabs at this level.

    A section that a link opens is one of them, and stays for the visit: no tab vanishes on a click.
    """
    opened: set[Section] = st.session_state.setdefault(_OPENED, set())
    opened.update(one for one in every if one in (st.query_params.get("tab"), st.session_state.get("tab")))
    return [one for one in every if not is_first_look() or one in FIRST_SECTIONS or one in opened]


def offer_sections(every: Sequence[Section], shown: Sequence[Section]) -> None:
    """Say which sections this level leaves out, with a button that shows them."""
    left = [one for one in every if one not in shown]
    if not left:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"First look: {len(shown)} of {len(every)} tabs. Also measured: {', '.join(left)}.", width="content")
        offer("Show all tabs", key="all-tabs")


def offer(label: str, *, key: str) -> None:
    """Draw a button that goes on from the first look to the next level."""
    if st.button(label, type="tertiary", icon=":material/visibility:", key=key):
        choose("explorer")
        st.rerun()


def _asked() -> Level | None:
    return _parse(st.query_params.get(LEVEL_PARAM, ""))


def _remembered() -> Level | None:
    return _parse(st.context.cookies.get(COOKIE, ""))


def _parse(text: str) -> Level | None:
    """A level from the untrusted URL or cookie; None for anything else."""
    return next((level for level in LEVELS if level == text), None)
