"""Extra content of an HTML report besides its runs: charts and a table of trials, as plain values."""

from typing import NamedTuple

import pandas as pd


class ReportFigure(NamedTuple):
    """One chart, ready for the template.

    `figure` is plotly's JSON in the light theme; `rows` is the table behind it, empty where it is too long.
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
    num_rows: int = 0
    """The number of rows of the whole table."""
    question: str = ""
    """The subtitle."""


class ExtraSection(NamedTuple):
    """Content besides the runs themselves.

    `title` and `words` replace the heading and lead text of the first run; `trials` is a table of many runs, such as
    those of a sweep; `figures` are charts of all of them, which come first.
    """

    title: str = ""
    words: str = ""
    trials: pd.DataFrame | None = None
    figures: tuple[ReportFigure, ...] = ()
