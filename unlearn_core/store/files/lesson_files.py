"""The files of lessons: those that ship, and those in a folder of one's own."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from unlearn_core.domain.errors import InvalidLessonError, UnlearnError
from unlearn_core.domain.lessons import MAX_BYTES, Lesson, parse_lesson
from unlearn_core.installation import ASSETS
from unlearn_core.settings import settings

LESSONS_DIR = ASSETS / "lessons"
MAX_FILES = 100


class Lessons(NamedTuple):
    """All lessons by id, in their order, and a sentence about each file that cannot be used."""

    lessons: Mapping[str, Lesson]
    problems: Sequence[str]


def find_lessons() -> Lessons:
    """Return the lessons that ship, then those in the folder of the setting `lessons`."""
    found: dict[str, Lesson] = {}
    problems: list[str] = []
    own = settings().lessons
    for folder in (LESSONS_DIR, *([] if own is None else [own])):
        read: list[Lesson] = []
        for path in lesson_paths(folder):
            try:
                lesson = read_lesson(path)
                if lesson.id in found:
                    raise InvalidLessonError(f"{path.name}: a lesson that ships has this name. Give it another.")
                read.append(lesson)
            except UnlearnError as problem:
                problems.append(str(problem))
        found |= {one.id: one for one in sorted(read, key=lambda one: (one.order, one.id))}
    if own is not None and not own.is_dir():
        problems.append("The folder of own lessons does not exist: correct the setting UNLEARN_LESSONS.")
    return Lessons(found, problems)


def lesson_paths(folder: Path) -> list[Path]:
    """Return the Markdown files of a folder, by name; a README is none of them."""
    return sorted(path for path in folder.glob("*.md") if path.stem.lower() != "readme")[:MAX_FILES]


def own_folder() -> str:
    """Return the folder of own lessons, "" if there is none."""
    return str(settings().lessons or "")


def version() -> tuple[tuple[str, int], ...]:
    """Return all files with their times, which change when one of them is edited."""
    own = settings().lessons
    paths = [*lesson_paths(LESSONS_DIR), *([] if own is None else lesson_paths(own))]
    return tuple((str(path), path.stat().st_mtime_ns) for path in paths if path.exists())


def read_lesson(path: Path) -> Lesson:
    """Return the lesson in a file. Raises InvalidLessonError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", path.stem):
        raise InvalidLessonError(f"{path.name}: name the file with small letters, digits and hyphens.")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidLessonError(f"{path.name} cannot be read as UTF-8 text ({type(problem).__name__}).") from None
    return parse_lesson(path.stem, text)
