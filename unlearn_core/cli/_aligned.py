"""A table of texts as lines, each column as wide as its longest text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def aligned(table: "pd.DataFrame") -> list[str]:
    """The heading and the rows of a table of texts, with two spaces between the columns."""
    rows = [list(table.columns), *table.to_numpy().tolist()]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
