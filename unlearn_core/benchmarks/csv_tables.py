"""Reads and writes the committed CSV files of measured figures."""

import csv
import io
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from unlearn_core.charts.measured import l2ul_courses, noise_levels
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.installation import ASSETS

T = TypeVar("T")

RESULTS_DIR = ASSETS / "results"
TABLE, LADDER, LADDER_PRINTED, MEMORISED_LADDER, PUBLISHED, COURSES, L2UL_SEARCH, TUNING, AUTO, REINIT_IMAGES = (
    RESULTS_DIR / f"{name}.csv"
    for name in (
        "runs",
        "ladder",
        "ladder-printed",
        "ladder/scores",
        "published",
        "l2ul_courses",
        "l2ul_search",
        "tuning",
        "auto",
        "reinit_images",
    )
)
"""All measured tables; the methods' runs first."""
MeasuredRow = dict[str, str | float]
"""A row of measured figures by column; "" where there is none."""
Row = Mapping[str, str]


class Tables(NamedTuple):
    """The tables that RESULTS.md and docs/reproduction.md are made from."""

    runs: Sequence[dict[str, str]] = ()
    """Runs of all methods."""
    ladder: Mapping[str, Row] = {}
    """Steps of the ablation of stochastic re-initialisation, by name."""
    printed: Mapping[str, Row] = {}
    """The same with the noise as the report prints it."""
    memorised: Sequence[Row] = ()
    """Steps of the ladder on an original that has memorised its training images."""
    published: Sequence[Row] = ()
    """UNSIR and L2UL in their published settings."""
    courses: Sequence[Row] = ()
    """Points along the runs of L2UL's variants."""
    auto: Mapping[str, Row] = {}
    """Runs with the preset `auto` on other classifiers, by their keys."""
    noise: Sequence[Row] = ()
    """Runs of UNSIR with learned, random and no noise."""
    frontier: Sequence[Row] = ()
    """Points along the runs of L2UL's goals and safeguards on draws of single images."""
    passed_on: Sequence[Row] = ()
    """Runs of stochastic re-initialisation on single images, without old weights, without its teacher, or both."""


def read_tables() -> Tables:
    """Return the committed tables."""
    steps, printed = (read_rows(path, "step") for path in (LADDER, LADDER_PRINTED))
    auto, memorised = read_rows(AUTO, "key"), read_table(MEMORISED_LADDER)
    published, noise, frontier = map(read_table, (PUBLISHED, noise_levels.TABLE, l2ul_courses.TABLE))
    runs, courses, passed_on = map(read_table, (TABLE, COURSES, REINIT_IMAGES))
    return Tables(runs, steps, printed, memorised, published, courses, auto, noise, frontier, passed_on)


def read_table(path: Path) -> list[dict[str, str]]:
    """Return all rows in order; none if there is no file."""
    return list(csv.DictReader(io.StringIO(path.read_text()))) if path.exists() else []


def read_rows(path: Path, key_column: str) -> dict[str, dict[str, str]]:
    """Return the rows by one of their columns; none if there is no file."""
    return {row[key_column]: row for row in read_table(path)}


def pending(items: Mapping[str, T], known: Container[str], *, seconds: float) -> Iterator[tuple[str, T]]:
    """Yield the items by key whose keys are not known, and none after so many seconds."""
    end = time.monotonic() + seconds
    for key, item in items.items():
        if key in known:
            continue
        if time.monotonic() >= end:
            return
        yield key, item


def extend(
    path: Path, columns: Sequence[str], keys: Sequence[str], new: Callable[[Container[str]], Iterable[MeasuredRow]]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Measure the rows that a table lacks; write the table after each, and yield how many there are, and the row.

    `new` is given the keys that are measured. The rows stand in the order of `keys`, and others are dropped.
    """
    known = {key: row for key, row in read_rows(path, "key").items() if key in keys}
    for row in new(frozenset(known)):
        known[str(row["key"])] = {name: str(value) for name, value in row.items()}
        write_rows(path, columns, [known[key] for key in keys if key in known])
        yield len(known), known[str(row["key"])]


def extend_groups(
    path: Path,
    columns: Sequence[str],
    keys: Sequence[str],
    new: Callable[[Container[str]], Iterable[Sequence[MeasuredRow]]],
) -> Iterator[tuple[int, Sequence[MeasuredRow]]]:
    """The same for a table in which several rows, that are measured together, have the same key."""
    known: dict[str, list[MeasuredRow]] = {}
    for row in read_table(path):
        if row["key"] in keys:
            known.setdefault(row["key"], []).append({**row})
    for rows in new(frozenset(known)):
        known[str(rows[0]["key"])] = list(rows)
        write_rows(path, columns, [row for key in keys if key in known for row in known[key]])
        yield len(known), rows


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str | float]]) -> None:
    """Write rows that have exactly these columns."""
    text = io.StringIO()
    table: csv.DictWriter[str] = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic_write(path, text.getvalue().encode())
