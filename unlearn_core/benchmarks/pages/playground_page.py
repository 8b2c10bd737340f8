"""docs/playground.md: how fast the playground is, and how good the settings are from which its methods start."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from unlearn_core.engine.playground.point_settings import SETTINGS_FILE
from unlearn_core.methods import methods


class Row(NamedTuple):
    """Seconds from a lasso to a moving boundary, and to the retrained model's: median and slowest of `lassos`."""

    lassos: int
    moved: float
    moved_most: float
    compared: float
    compared_most: float
    errors: int


INTRODUCTION = """# How fast the playground is, and its settings

<!-- Made by `python -m unlearn_core.benchmarks.pages.playground_speed`: do not edit. -->

A run on points has a process of its own on one thread, beside the runs on images. The visitor who has had the least of
its time comes first, unlearned models come before retrained ones, and a request that a visitor replaces leaves the
queue. Scenes ship with their frames and are not computed.

## Waits

Seconds from a lasso to the frames of the unlearned model, and to those of the retrained one, with other points each
time: the median, and behind the stroke the slowest. Visitors without a browser use the page's own protocol on the same
machine. An error is also what does not come within two minutes. Other programs on the same cores make all of it longer
in proportion."""


def page(rows: Mapping[str, Row], machine: str) -> str:
    """Return the page, from the rows by title and a sentence on where they were measured."""
    lines = [
        INTRODUCTION,
        "",
        machine,
        "",
        "| | lassos | boundary moves, s | retrained, s | errors |",
        "|---|---|---|---|---|",
    ]
    for title, row in rows.items():
        moved, compared = f"{row.moved:.2f} / {row.moved_most:.2f}", f"{row.compared:.2f} / {row.compared_most:.2f}"
        lines.append(f"| {title} | {row.lassos} | {moved} | {compared} | {row.errors} |")
    return "\n".join([*lines, "", *_settings(), ""])


def _settings() -> list[str]:
    """The section on the settings, as the search has left them."""
    gaps = json.loads(SETTINGS_FILE.read_text())["gaps"]
    lines = [
        "## Settings",
        "",
        "`python -m unlearn_core.benchmarks.tuning.find_point_settings` has found the values from which methods start: "
        "for classes on the second class of each data set, for points on forty neighbours. The figures are the mean "
        "differences to the retrained model there, in percentage points, on training and validation points; *plane* is "
        "the share of the plane where predictions differ. The aim of L2UL is to misclassify single points: there, its "
        "first figure is the accuracy on them, and the plane was not compared.",
        "",
        "| method | classes: forget | retain | plane | points: forget | retain | plane |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, kinds in gaps.items():
        cells = [
            f"{100 * kinds[kind][part]:.1f}" if kind in kinds else "–"
            for kind in ("classes", "images")
            for part in ("forget", "retain", "plane")
        ]
        lines.append(f"| {methods()[name].title} | {' | '.join(cells)} |")
    return lines
