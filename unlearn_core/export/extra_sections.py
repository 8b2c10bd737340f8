"""What stands beside runs in a report about several. Plain values: nothing here draws."""

from typing import NamedTuple

import pandas as pd


class ReportFigure(NamedTuple):
    """One chart, ready to be printed.

    `figure` is plotly's JSON in the light theme, and `rows` the table behind it, empty where that is too long.
    """

    id: str
    title: str
    figure: str
    height: int
    summaries: tuple[str, ...]
    caveat: str
    alt_text: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    count: int = 0
    """How many rows the whole table has."""
    question: str = ""
    """The line below the title."""


class ExtraSection(NamedTuple):
    """What stands beside the runs themselves.

    `title` and `words` are those of the whole, instead of the first run's; `trials` is a table of many runs, such as
    those of a sweep; `plates` are charts about all of them, which come first.
    """

    title: str = ""
    words: str = ""
    trials: pd.DataFrame | None = None
    plates: tuple[ReportFigure, ...] = ()
