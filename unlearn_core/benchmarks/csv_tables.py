"""Measured figures as committed CSV files: read by one column, written whole."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unlearn_core.data.atomic_files import atomic_write


def read_rows(path: Path, key_column: str) -> dict[str, dict[str, str]]:
    """The rows that are there, by one of their columns; none where there is no file."""
    if not path.exists():
        return {}
    return {row[key_column]: row for row in csv.DictReader(io.StringIO(path.read_text()))}


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows that have just these columns."""
    text = io.StringIO()
    table: csv.DictWriter[str] = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic_write(path, text.getvalue().encode())
