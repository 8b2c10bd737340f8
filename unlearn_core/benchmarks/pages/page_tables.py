"""Writes docs/pages.md, and prints its tables, from what was measured."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from unlearn_core.benchmarks.pages.many_viewers import APART, Opened, Watched
from unlearn_core.installation import VERSION

GENERATED = "<!-- Made by `make bench-pages`: do not edit. -->"
BROWSER, MEMORY = "## In a browser", "## Memory"
"""The headings of the last sections, which are only measured on request and else kept."""

Case = tuple[bool, int]
"""Whether a run was in progress, and the number of visitors."""
Openings = Mapping[str, Mapping[Case, Opened]]
"""How each page opened, by case."""


class Wait(NamedTuple):
    """How long one action took in a browser: seconds, the median of the repeats and the longest."""

    action: str
    median: float
    largest: float


INTRODUCTION = f"""# How fast the pages are

{GENERATED}

A visitor without a browser opens a page by Streamlit's own protocol, on the same machine. A time ends when the last
part of the page has arrived; a browser then needs some tenths of a second to draw it. `make bench-pages` measures this
anew in about eight minutes, and with `ARGS=--quick` some of it in one. Cells give seconds: the median over the
visitors, and behind the stroke the slowest. Visitors arrive {APART} seconds apart; a single one opens
the page several times."""


def machine(load: float) -> str:
    """Say where it was measured; `load` is the load average before the begin."""
    cores = os.cpu_count()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("streamlit", "plotly", "torch"))
    return (
        f"Measured on {cores} cores ({platform.machine()}, {platform.system()}), load {load:.1f} before it began. "
        f"Unlearn Lab {VERSION}, Python {platform.python_version()}, {libraries}."
    )


def openings_table(openings: Openings) -> list[str]:
    """Return the table of pages: one row for each, one column for each number of visitors."""
    cases = sorted({case for found in openings.values() for case in found})
    heads = [f"{'beside a run' if busy else 'idle'}, {count}" for busy, count in cases]
    lines = [
        f"| page | {' | '.join(heads)} | kB | CPU of the server, s |",
        f"|---|{'---|' * len(cases)}---|---|",
    ]
    for page, found in openings.items():
        cells = [_seconds(found.get(case)) for case in cases]
        first = found[cases[0]]
        lines.append(f"| {page} | {' | '.join(cells)} | {first.kilobytes:,.0f} | {first.cpu:.2f} |")
    return lines


def watching_table(watched: Sequence[Watched]) -> list[str]:
    """Return the table of those who watch a run in progress: one row for each number of them."""
    heads = [
        "| viewers | page opens, s | update arrives after, s (p95) | updates every, s | kB/s for each | share of a "
        "core | MiB | open files |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return heads + [
        f"| {one.viewers} | {one.opened_median:.2f} / {one.opened_largest:.2f} | {one.update_median:.2f} "
        f"({one.update_p95:.2f}) | {one.interval:.1f} | {one.kilobytes_per_second:.1f} | {one.cpu_share:.0%} | "
        f"{one.memory:,.0f} | {one.files} |"
        for one in watched
    ]


def work_table(work: Mapping[str, Any], count: int = 12) -> list[str]:
    """Return where the server's threads were, in per cent of the samples in which one of them worked."""
    total = max(1, sum(work["at"].values()))
    own = [(name, hits) for name, hits in work["inside"].items() if name.startswith("unlearn_core/")]
    lines = ["| within our function | % | at | % |", "|---|---|---|---|"]
    at = sorted(work["at"].items(), key=lambda item: -item[1])[:count]
    inside = sorted(own, key=lambda item: -item[1])[:count]
    for place in range(max(len(at), len(inside))):
        pairs = [column[place] if place < len(column) else ("", 0) for column in (inside, at)]
        cells = [
            f"`{name.removeprefix('unlearn_core/')}` | {hits / total:.0%}" if name else " | " for name, hits in pairs
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def memory_section(memory: Sequence[float], viewers: int, minutes: float) -> str:
    """Return the section on memory, from what the server took every ten seconds."""
    return (
        f"{MEMORY}\n\n{viewers} visitors opened report after report for {minutes:g} minutes, each in a new visit. The "
        f"server took {memory[0]:,.0f} MiB at the begin, at most {max(memory):,.0f}, and {memory[-1]:,.0f} at the end; "
        f"from the second minute on, the most was {growth(memory):.2f} times the least."
    )


def growth(memory: Sequence[float]) -> float:
    """Return the most memory from the second minute on, divided by the least; one value stands for ten seconds."""
    later = memory[12:] or memory
    return max(later) / min(later)


def browser_section(waits: Sequence[Wait]) -> str:
    """Return the section on what a person in front of a browser waits for."""
    rows = [f"| {one.action} | {one.median:.2f} / {one.largest:.2f} |" for one in waits]
    words = (
        "Chromium on the same machine, one visitor, no run: seconds from the click until the page no longer changes, "
        "the median and the longest of several. Each page is opened from *Datasets*."
    )
    return "\n".join([f"{BROWSER}\n\n{words}\n\n| from the click | s |", "|---|---|", *rows])


def page(
    place: str, start_seconds: float, openings: Openings, watched: Sequence[Watched], *, on_request: Sequence[str]
) -> str:
    """Return docs/pages.md; the last sections are those that are measured `on_request`."""
    parts = [
        INTRODUCTION,
        place,
        f"From the start of the server until its first page is complete: {start_seconds:.1f} s.",
        "## Every page",
        "\n".join(openings_table(openings)),
        "## Watching one run",
        "Everyone watches the same run, which uses the same cores. It is drawn once for all.",
        "\n".join(watching_table(watched)),
        f"Where the server works while {watched[-1].viewers} watch, in per cent of the samples of its busy threads:",
        "\n".join(work_table(watched[-1].work)),
        *on_request,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def former_section(former: str, heading: str) -> str:
    """Return the section with that heading of a page that was written before; nothing if it has none."""
    return heading + former.split(heading)[1].split("\n## ")[0].rstrip() if heading in former else ""


def _seconds(found: Opened | None) -> str:
    return "–" if found is None else f"{found.median:.2f} / {found.largest:.2f}"
