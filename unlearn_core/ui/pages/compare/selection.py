"""The class, layer and image that are highlighted in all charts of the comparison, kept in the URL."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing import selection
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape

URL_PARAMS = {"label": "class", "layer": "layer", "image": "picture"}
"""The URL parameter of each part of a selection."""
_PENDING, _ERRORS = "pending selection", "selection errors"


def choose_selection(reports: Sequence[Report]) -> Selection:
    """Show the three choices and return the selection; clicks on charts and images change it too."""
    classes = list(dict.fromkeys(name for report in reports for name in report.dataset.classes))
    layers = list(dict.fromkeys(layer for report in reports for layer in selection.layers_in_charts(report)))
    noun, most = reports[0].dataset.item_noun, max(len(report.labels) for report in reports) - 1
    st.session_state[_ERRORS] = []
    with (
        _bound("image", lambda text: _parse_image(noun, text, most)),
        _bound("layer", lambda text: _parse_name("layer", text, layers)),
        _bound("label", lambda text: _parse_name("class", text, classes)),
        st.container(horizontal=True, vertical_alignment="bottom", key="focus"),
    ):
        for part, value in st.session_state.pop(_PENDING, Selection())._asdict().items():
            if value is not None:
                st.session_state[_key(part)] = value
        _drop_stale("label", classes)
        _drop_stale("layer", layers)
        _drop_stale("image", range(most + 1))
        label = st.selectbox("Class", classes, index=None, placeholder="none", key=_key("label"), width=180)
        layer = st.selectbox("Layer", layers, index=None, placeholder="none", key=_key("layer"), width=180)
        image = st.number_input(
            noun.capitalize(),
            min_value=0,
            max_value=most,
            step=1,
            placeholder="none",
            key=_key("image"),
            width=180,
            help="Its position in the data set. You can also press a label in the tab Images.",
        )
    for problem in st.session_state[_ERRORS]:
        st.warning(escape(problem), icon=":material/link_off:")
    return Selection(label, layer, image)


def request_selection(selection: Selection) -> None:
    """Apply a selection at the next rerun; parts that are None stay as they are."""
    st.session_state[_PENDING] = selection


def on_click(key: str, reports: Sequence[Report]) -> None:
    """Select the class, layer or image of the point that was clicked in a chart."""
    points: list[dict[str, Any]] = st.session_state[key]["selection"]["points"]
    if points:
        request_selection(selection.clicked_selection(points[0], reports))


def selection_table(reports: Sequence[Report], current: Selection) -> None:
    """Show the values of each run for the selection, one column per run."""
    rows = selection.selection_rows(reports, current)
    if not rows:
        st.caption("Choose here or click in a chart: the selection is highlighted in all charts of all runs.")
        return
    titles = report_labels(reports)
    st.dataframe(
        pd.DataFrame([{"selected": title, **dict(zip(titles, values, strict=True))} for title, values in rows]),
        hide_index=True,
        height="content",
        alt="The values of each run for the selected class, layer and image, one column per run",
    )


def _key(part: str) -> str:
    return f"focus-{URL_PARAMS[part]}"


def _bound(part: str, parse: Callable[[str], Any]) -> AbstractContextManager[None]:
    return url_state.bound(_key(part), URL_PARAMS[part], default=None, parse=parse)


def _parse_name(what: str, text: str, names: Sequence[str]) -> str | None:
    if text not in names:
        st.session_state[_ERRORS].append(f"None of these runs has a {what} named {text[:40]!r}.")
    return text if text in names else None


def _parse_image(noun: str, text: str, most: int) -> int | None:
    number = url_state.parse_number(text)
    if number is not None and number <= most:
        return number
    st.session_state[_ERRORS].append(f"There is no {noun} {text[:40]!r}: the last one is {most:,}.")
    return None


def _drop_stale(part: str, choices: Sequence[str] | range) -> None:
    """Clear a choice that was made for other runs and does not exist in these."""
    if st.session_state[_key(part)] not in choices:
        st.session_state[_key(part)] = None
