"""A class, a layer and a picture, chosen once for all runs on the page; each is in the address."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.charts.chart import names
from unlearn_core.charts.drawing import selection
from unlearn_core.charts.drawing.selection import Focus
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

KEYS = {"label": "class", "layer": "layer", "picture": "picture"}
"""The parts of what is followed, and what the address calls them."""
_WISH, _TROUBLE = "focus wish", "focus trouble"


def choose(reports: Sequence[Report]) -> Focus:
    """The three choices, from the address at first; a click on a chart or a picture changes them too."""
    classes = list(dict.fromkeys(name for report in reports for name in report.dataset.classes))
    layers = list(dict.fromkeys(layer for report in reports for layer in selection.layers_of(report)))
    most = max(len(report.labels) for report in reports) - 1
    st.session_state[_TROUBLE] = []
    url_state.follow(_key("label"), KEYS["label"], lambda text: _known("class", text, classes))
    url_state.follow(_key("layer"), KEYS["layer"], lambda text: _known("layer", text, layers))
    url_state.follow(_key("picture"), KEYS["picture"], lambda text: _picture(text, most))
    for part, value in st.session_state.pop(_WISH, Focus())._asdict().items():
        if value is not None:
            st.session_state[_key(part)] = value
    _keep("label", classes)
    _keep("layer", layers)
    _keep("picture", range(most + 1))
    with st.container(horizontal=True, vertical_alignment="bottom", key="focus"):
        label = st.selectbox("Class", classes, index=None, placeholder="none", key=_key("label"), width=180)
        layer = st.selectbox("Layer", layers, index=None, placeholder="none", key=_key("layer"), width=180)
        picture = st.number_input(
            "Picture",
            min_value=0,
            max_value=most,
            step=1,
            placeholder="none",
            key=_key("picture"),
            width=180,
            help="Its position in the data set. Easier: press a picture's name under the tab Pictures.",
        )
    for problem in st.session_state[_TROUBLE]:
        st.warning(escape(problem), icon=":material/link_off:")
    chosen = Focus(label, layer, picture)
    for part, value in chosen._asdict().items():
        url_state.say(_key(part), KEYS[part], "" if value is None else str(value))
    return chosen


def wish(one: Focus) -> None:
    """Follows what was just pressed, from the next rerun on; what it does not name stays as it is."""
    st.session_state[_WISH] = one


def clicked(key: str, reports: Sequence[Report]) -> None:
    """What a chart calls when something in it was clicked: the class, layer or picture it stands for is followed."""
    points: list[dict[str, Any]] = st.session_state[key]["selection"]["points"]
    if points:
        wish(selection.found(points[0], reports))


def table(reports: Sequence[Report], chosen: Focus) -> None:
    """What each run says of what is followed, one column a run."""
    rows = selection.rows(reports, chosen)
    if not rows:
        st.caption("Choose one here, or click it in a chart: it is marked in every chart below, for all runs at once.")
        return
    titles = names(reports)
    st.dataframe(
        pd.DataFrame([{"followed": title, **dict(zip(titles, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        alt="What each run says of the class, layer and picture that were chosen, one column a run",
    )


def _key(part: str) -> str:
    return f"focus-{KEYS[part]}"


def _known(what: str, text: str, known: Sequence[str]) -> str | None:
    if text and text not in known:
        st.session_state[_TROUBLE].append(f"None of these runs has a {what} called {text[:40]!r}.")
    return text if text in known else None


def _picture(text: str, most: int) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= most:
        return int(text)
    st.session_state[_TROUBLE].append(f"There is no picture {text[:40]!r}: the last one is {most:,}.")
    return None


def _keep(part: str, known: Sequence[str] | range) -> None:
    """Forgets what was chosen among other runs and does not exist among these."""
    if st.session_state[_key(part)] not in known:
        st.session_state[_key(part)] = None
