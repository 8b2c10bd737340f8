"""Rows of the table of results, and the figures that are made of several."""

from collections.abc import Container, Iterable, Mapping, Sequence
from statistics import mean, stdev

Row = dict[str, str]

REQUESTS = {
    "cat": "One class: cat",
    "three-classes": "Three classes: automobile, cat and ship",
    "16-pictures": "16 pictures, drawn at random",
    "200-pictures": "200 pictures, drawn at random",
}


def mark(rows: Iterable[Mapping[str, str]], outdated: Container[str]) -> str:
    """What stands behind the name of rows of which one at least has an outdated key; "" behind others."""
    return " (outdated)" if any(row["key"] in outdated for row in rows) else ""


def mean_percent(rows: Sequence[Row], column: str) -> float:
    """The mean of a column of fractions, in per cent."""
    return 100 * mean(float(row[column]) for row in rows)


def mean_and_deviation(rows: Sequence[Row], column: str, scale: float, digits: int) -> str:
    """Mean and, over several rows, standard deviation of a column times `scale`; "" where no row has it."""
    values = [scale * float(row[column]) for row in rows if row[column]]
    if not values:
        return ""
    text = f"{mean(values):.{digits}f}"
    return f"{text} ± {stdev(values):.{digits}f}" if len(values) > 1 else text
