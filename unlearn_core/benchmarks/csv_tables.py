"""Reads and writes the committed CSV files of measured figures."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from unlearn_core.data.atomic_files import atomic_write

MeasuredRow = dict[str, str | float]
"""A row of measured figures by column; "" where there is none."""


def read_rows(path: Path, key_column: str) -> dict[str, dict[str, str]]:
    """Return the rows by one of their columns; none if there is no file."""
    if not path.exists():
        return {}
    return {row[key_column]: row for row in csv.DictReader(io.StringIO(path.read_text()))}


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str | float]]) -> None:
    """Write rows that have exactly these columns."""
    text = io.StringIO()
    table: csv.DictWriter[str] = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic_write(path, text.getvalue().encode())
