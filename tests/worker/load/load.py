"""A class of thirty for some minutes, and many runs in a row: how long pages take, and whether memory stays flat.

`python -m tests.worker.load.load --minutes 10 --runs 200` measures both, each with a data folder of its own, and skips
what load.jsonl has already, unless with `--again`. At the end it writes the tables into docs/operations.md.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.worker.faults import kills
from tests.worker.load import class_of_thirty, runs_in_a_row
from tests.worker.load.process_usage import MEASURES, ROLES

FIGURES = Path(__file__).with_suffix(".jsonl")
MOST_SECONDS, IDLE = 2.0, 0.3
"""The 95th percentile of an action's seconds may be so large, where other programs use at most so many cores."""
START, END = "| action of a visitor |", "\n\nThe 95th percentile "
NAMES = {
    "all": "all actions",
    "start": "open the start page in a new visit",
    "forget": "open *Forget*",
    "tick": "tick a class",
    "method": "go on to *Method*",
    "Run": "press *Run*",
    "report": "open a finished report",
    "next run": "go on to the next live run",
}


def read_rows() -> dict[str, dict[str, Any]]:
    """What was measured, by its kind."""
    lines = FIGURES.read_text().splitlines() if FIGURES.exists() else []
    return {row["kind"]: row for row in map(json.loads, lines)}


def summary(rows: dict[str, dict[str, Any]]) -> str:
    """The tables of docs/operations.md."""
    group, row = rows["class"], rows["row"]
    table = [f"{START} times | median, s | 95th percentile, s | largest, s |", "|---|---:|---:|---:|---:|"]
    for name, (count, *seconds) in group["actions"].items():
        table.append(f"| {NAMES[name]} | {count:,} | {' | '.join(f'{value:.2f}' for value in seconds)} |")
    count, *seconds = group["updates"]
    cells = " | ".join(f"{value:.2f}" for value in seconds)
    table += [f"| updates of open pages by themselves | {count:,} | {cells} |", ""]
    runs = group["runs"]
    table += [
        f"{group['visitors']} visitors for {group['minutes']:g} minutes, {group['watchers']} of them on the live run: "
        f"*Run* was pressed {runs['pressed']} times, and {runs['made']} runs were made for it. "
        f"Errors, failed runs, and what was left behind: {len(group['problems'])}. {_measured(group)}",
        "",
        "| process | measured | in the class: first, later at most | in the row of runs: first, later at most |",
        "|---|---|---:|---:|",
    ]
    units = {"memory": "memory, MiB", "files": "open files", "threads": "threads"}
    for role in ROLES:
        for measure in MEASURES:
            both = " | ".join(_pair(one["usage"][role][measure]) for one in (group, row))
            table.append(f"| {role} | {units[measure]} | {both} |")
    table += [
        "",
        f"{row['runs']} runs in a row through one worker, each report opened: errors, failed runs, and what was left "
        f"behind: {len(row['problems'])}. {_measured(row)}",
    ]
    return "\n".join(table)


def _pair(values: list[float]) -> str:
    return f"{values[0]:,.0f}, {max(values[1:]):,.0f}"


def _measured(row: dict[str, Any]) -> str:
    return f"Measured on {row['machine']}; other programs used {row['other_cores']:.1f} cores meanwhile."


def write_docs(rows: dict[str, dict[str, Any]]) -> None:
    """Replace the tables."""
    text = kills.DOCS.read_text()
    start = text.index(START)
    kills.DOCS.write_text(text[:start] + summary(rows) + text[text.index(END, start) :])


def measure_into_figures(kind: str, session: Callable[[Path], dict[str, Any]]) -> None:
    """Measure with a data folder of its own, and add the row."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="load-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        row = session(folder)
    rows = read_rows() | {kind: row}
    FIGURES.write_text("".join(json.dumps(rows[name]) + "\n" for name in sorted(rows)))
    print(kind, *(row["problems"] or ["nothing wrong"]), sep="\n  ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of the class (10)")
    parser.add_argument("--runs", type=int, default=200, help="in a row (200)")
    parser.add_argument("--again", action="store_true", help="measure also what has been measured for so long")
    args = parser.parse_args()
    os.environ |= kills.ENVIRONMENT | {"UNLEARN_WORKER": "none"}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what it started is stopped
    rows = read_rows()
    if args.again or rows.get("class", {}).get("minutes", 0) < args.minutes:
        measure_into_figures("class", lambda folder: class_of_thirty.session(args.minutes, folder))
    if args.again or rows.get("row", {}).get("runs", 0) < args.runs:
        measure_into_figures("row", lambda folder: runs_in_a_row.session(args.runs, folder))
    write_docs(read_rows())
    print(summary(read_rows()))


if __name__ == "__main__":
    main()
