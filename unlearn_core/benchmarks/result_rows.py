"""Rows of the table of results, and figures computed from several rows."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from statistics import mean, stdev

Row = dict[str, str]

REQUESTS = {
    "cat": "One class: cat",
    "three-classes": "Three classes: automobile, cat and ship",
    "16-pictures": "16 images, drawn at random",
    "200-pictures": "200 images, drawn at random",
}
"""The titles of the standard requests, by their names in the table."""
REQUEST_LABELS = {
    "cat": "cat",
    "three-classes": "three classes",
    "16-pictures": "16 images",
    "200-pictures": "200 images",
}
"""The same, short."""


def mark(rows: Iterable[Mapping[str, str]], outdated: Container[str]) -> str:
    """Return the mark of rows of which at least one has an outdated key; "" for others."""
    return " (outdated)" if any(row["key"] in outdated for row in rows) else ""


def by_class(rows: Iterable[Row], preset: str) -> dict[str, list[Row]]:
    """Return the runs in which UNSIR forgets one class with a preset, by that class."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if (row["method"], row["preset"]) == ("unsir", preset) and row["request"] not in REQUESTS.keys() - {"cat"}:
            found[row["request"]].append(row)
    return found


def mean_row(rows: Sequence[Row]) -> Row:
    """Return the first of these rows with the means of their accuracies, so that a class counts once."""
    means = {
        column: str(mean(float(row[column]) for row in rows))
        for column in rows[0]
        if column.startswith(("forget_", "retain_")) and rows[0][column]
    }
    return rows[0] | means


def mean_percent(rows: Sequence[Row], column: str) -> float:
    """Return the mean of a column of fractions, in per cent."""
    return 100 * mean(float(row[column]) for row in rows)


def mean_and_deviation(rows: Sequence[Row], column: str, scale: float, digits: int) -> str:
    """Return mean and (of several rows) standard deviation of a column times `scale`; "" if no row has it."""
    values = [scale * float(row[column]) for row in rows if row[column]]
    if not values:
        return ""
    text = f"{mean(values):.{digits}f}"
    return f"{text} ± {stdev(values):.{digits}f}" if len(values) > 1 else text
