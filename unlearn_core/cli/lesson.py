"""`lesson`: check the files of lessons: their form, and that what they say holds for their runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import NotFoundError, UnlearnError

if TYPE_CHECKING:
    from unlearn_core.domain.report import Report

HELP = "Check lessons: that their files can be read, and that what they say holds for their runs."
GOOD, BAD = 0, 1
"""Exit codes; 2 is, as for every verb, that there is nothing to check."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check"], help="check: print what is wrong with each lesson")
    parser.add_argument("path", type=Path, nargs="*", metavar="FILE", help="files or folders (the lessons that ship)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.data.ingest.sanitize import escape_control
    from unlearn_core.store.files.lesson_files import LESSONS_DIR, lesson_paths

    paths = [
        found for path in (args.path or [LESSONS_DIR]) for found in (lesson_paths(path) if path.is_dir() else [path])
    ]
    if not paths:
        raise NotFoundError("lesson", str(args.path[0]), [])
    bad = 0
    for path in paths:
        problems = check(path)
        bad += bool(problems)
        print(f"{path.name}: {'good' if not problems else f'{len(problems)} to mend'}")
        for problem in problems:
            print(f"  {escape_control(problem)}")
    return BAD if bad else GOOD


def check(path: Path) -> list[str]:
    """Return what is wrong with the lesson in a file, as sentences."""
    from unlearn_core.charts.text.lesson_text import problems
    from unlearn_core.store.files.lesson_files import read_lesson

    try:
        lesson = read_lesson(path)
        return problems(lesson, [_report(name) for name in lesson.runs])
    except UnlearnError as problem:
        return [str(problem)]


def _report(name: str) -> "Report":
    """Return the report of a run that ships, by name, or of one in the data folder, by number."""
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import reports, shipped_runs

    if name.isascii() and name.isdecimal():
        return reports.read(open_data_dir(), int(name))
    return shipped_runs.read_report(shipped_runs.named(name).id)
