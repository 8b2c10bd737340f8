"""Writes the page in docs of one of the three works: its text, with the numbers of runs and of the measured tables.

The text is a Markdown file in assets/works. Its first line names runs that ship (`runs: unsir-ship`), whose numbers are
placeholders as in lessons. A line such as `block: unsir-noise` becomes what `BLOCKS` makes of the tables.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from unlearn_core.benchmarks import csv_tables, results_page
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.reproduction import page
from unlearn_core.benchmarks.reproduction.l2ul import l2ul_section
from unlearn_core.benchmarks.reproduction.page import WORKS_DIR
from unlearn_core.benchmarks.reproduction.unsir import noise_section
from unlearn_core.charts.text.lesson_text import fill, lesson_values
from unlearn_core.methods import methods
from unlearn_core.store.files import shipped_runs

GENERATED = "<!-- Made by `make docs` from assets/works and the tables in assets/results: edit these. -->"


def _limits(tables: Tables) -> str:
    """Return what UNSIR's preset `bundled` keeps to, at which learning rates."""
    rates = methods()["unsir"].presets["bundled"].params.model_dump()
    return (
        f"At learning rates of {rates['impair_lr']:g} in impair and {rates['repair_lr']:g} in repair, as in the preset "
        f"`bundled`, it forgets whole classes within two short epochs. {results_page.limits_sentence(tables.runs)}"
    )


BLOCKS: Mapping[str, Callable[[Tables], str]] = {
    "l2ul-claims": lambda tables: page.claims_table("l2ul", tables),
    "l2ul-frontier": lambda tables: l2ul_section.frontier_section(tables.frontier, root="../"),
    "unsir-claims": lambda tables: page.claims_table("unsir", tables),
    "unsir-noise": lambda tables: noise_section.noise_section(tables.noise, root="../"),
    "unsir-noise-sentence": lambda tables: noise_section.noise_sentence(tables.noise),
    "unsir-limits": _limits,
}
"""What stands for a line `block:`, by its name."""
_BLOCK = re.compile(r"^block: (\S+)$", re.MULTILINE)


def work_ids() -> list[str]:
    """Return the ids of the methods whose works have a page."""
    return sorted(path.stem for path in WORKS_DIR.glob("*.md"))


def work_page(name: str, tables: Tables | None = None, folder: Path = WORKS_DIR) -> str:
    """Return docs/NAME.md from these tables, by default the committed ones.

    Raises KeyError for an unknown block, NotFoundError for an unknown run, InvalidLessonError for an unknown number.
    """
    every = tables or csv_tables.read_tables()
    first, _, text = (folder / f"{name}.md").read_text().partition("\n")
    runs = [shipped_runs.named(run.strip()).id for run in first.removeprefix("runs:").split(",")]
    filled = fill(text.strip(), lesson_values([shipped_runs.read_report(run) for run in runs]))
    title, _, rest = filled.partition("\n")
    made = _BLOCK.sub(lambda found: BLOCKS[found[1]](every), rest.strip())
    return f"{title}\n\n{GENERATED}\n\n{made}\n"
