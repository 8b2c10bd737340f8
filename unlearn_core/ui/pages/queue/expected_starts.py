"""When the waiting runs are expected to start: computed once for all who look, from runs that they may not read too."""

import numpy as np
import streamlit as st

from unlearn_core.engine.forecasts import waiting
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.ui.shell import cache

SECONDS = 2.0
"""Seconds for which what was computed is shown."""

UNKNOWN = "unknown"


def expected_starts() -> dict[int, Forecast | None]:
    """In how many seconds each waiting run starts, by number; None if that is unknown. It says nothing else of them."""
    return _found(str(open_data_dir()))


def in_words(start: Forecast | None, *, paused: bool) -> str:
    """An expected start: "in 15 to 25 s", "now", "after the class", "unknown"."""
    if paused:
        return "after the class"
    if start is None:
        return UNKNOWN
    return "now" if start.high < 1 else f"in {start}"


@st.cache_data(show_spinner=False, ttl=SECONDS, max_entries=2)
def _found(_folder: str) -> dict[int, Forecast | None]:
    return waiting.expected_starts(cache.server_store(), _labels)


def _labels(dataset: str) -> np.ndarray:
    return cache.image_dataset(dataset).labels
