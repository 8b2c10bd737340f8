"""Links from one page to another."""

from collections.abc import Sequence

import streamlit as st

MAX_RUNS = 6
"""The number of runs that can be compared side by side."""

IDS_PARAM = "ids"
"""The query parameter that lists runs, as in `?ids=3,5`."""

DATASET_PARAM = "dataset"
"""The query parameter of the page Datasets that names the data set on it."""


def comparison_params(runs: Sequence[int]) -> dict[str, str]:
    """The query parameters of the page that compares these runs."""
    return {IDS_PARAM: ",".join(map(str, runs))}


def base_path() -> str:
    """The path under which the app is served, without the slash at its end: "" at the root of a server."""
    path = st.get_option("server.baseUrlPath").strip("/")
    return f"/{path}" if path else ""
