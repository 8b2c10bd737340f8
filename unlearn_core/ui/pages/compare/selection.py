"""A class, a layer and a picture, chosen once for all runs on the page; each is in the address."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.charts.chart import report_names
from unlearn_core.charts.drawing import selection
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

URL_PARAMS = {"label": "class", "layer": "layer", "image": "picture"}
"""The parts of what is followed, and what the address calls them."""
_PENDING, _ERRORS = "focus wish", "focus trouble"


def choose_selection(reports: Sequence[Report]) -> Selection:
    """The three choices, from the address at first; a click on a chart or a picture changes them too."""
    classes = list(dict.fromkeys(name for report in reports for name in report.dataset.classes))
    layers = list(dict.fromkeys(layer for report in reports for layer in selection.layer_names(report)))
    most = max(len(report.labels) for report in reports) - 1
    st.session_state[_ERRORS] = []
    url_state.bind_from_url(_key("label"), URL_PARAMS["label"], lambda text: _known("class", text, classes))
    url_state.bind_from_url(_key("layer"), URL_PARAMS["layer"], lambda text: _known("layer", text, layers))
    url_state.bind_from_url(_key("image"), URL_PARAMS["image"], lambda text: _parse_image(text, most))
    for part, value in st.session_state.pop(_PENDING, Selection())._asdict().items():
        if value is not None:
            st.session_state[_key(part)] = value
    _drop_stale("label", classes)
    _drop_stale("layer", layers)
    _drop_stale("picture", range(most + 1))
    with st.container(horizontal=True, vertical_alignment="bottom", key="focus"):
        label = st.selectbox("Class", classes, index=None, placeholder="none", key=_key("label"), width=180)
        layer = st.selectbox("Layer", layers, index=None, placeholder="none", key=_key("layer"), width=180)
        picture = st.number_input(
            "Picture",
            min_value=0,
            max_value=most,
            step=1,
            placeholder="none",
            key=_key("image"),
            width=180,
            help="Its position in the data set. Easier: press a picture's name under the tab Pictures.",
        )
    for problem in st.session_state[_ERRORS]:
        st.warning(escape(problem), icon=":material/link_off:")
    chosen = Selection(label, layer, picture)
    for part, value in chosen._asdict().items():
        url_state.bind_to_url(_key(part), URL_PARAMS[part], "" if value is None else str(value))
    return chosen


def request_selection(selection: Selection) -> None:
    """Follows what was just pressed, from the next rerun on; what it does not name stays as it is."""
    st.session_state[_PENDING] = selection


def on_click(key: str, reports: Sequence[Report]) -> None:
    """What a chart calls when something in it was clicked: the class, layer or picture it stands for is followed."""
    points: list[dict[str, Any]] = st.session_state[key]["selection"]["points"]
    if points:
        request_selection(selection.clicked_selection(points[0], reports))


def selection_table(reports: Sequence[Report], current: Selection) -> None:
    """What each run says of what is followed, one column a run."""
    rows = selection.selection_rows(reports, current)
    if not rows:
        st.caption("Choose one here, or click it in a chart: it is marked in every chart below, for all runs at once.")
        return
    titles = report_names(reports)
    st.dataframe(
        pd.DataFrame([{"followed": title, **dict(zip(titles, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        alt="What each run says of the class, layer and picture that were chosen, one column a run",
    )


def _key(part: str) -> str:
    return f"focus-{URL_PARAMS[part]}"


def _known(what: str, text: str, known: Sequence[str]) -> str | None:
    if text and text not in known:
        st.session_state[_ERRORS].append(f"None of these runs has a {what} called {text[:40]!r}.")
    return text if text in known else None


def _parse_image(text: str, most: int) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= most:
        return int(text)
    st.session_state[_ERRORS].append(f"There is no picture {text[:40]!r}: the last one is {most:,}.")
    return None


def _drop_stale(part: str, known: Sequence[str] | range) -> None:
    """Forgets what was chosen among other runs and does not exist among these."""
    if st.session_state[_key(part)] not in known:
        st.session_state[_key(part)] = None
