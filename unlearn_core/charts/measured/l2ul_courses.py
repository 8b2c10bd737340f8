"""Runs of L2UL on draws of single images: what each retains where it first comes down to a forget accuracy.

Who forgets less retains more, so settings are compared where they forget equally, and draw by draw.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from unlearn_core.installation import ASSETS

TABLE = ASSETS / "results" / "l2ul_frontier.csv"
LEVELS = (0.75, 0.5, 0.25, 0.125, 0.0)
"""Forget accuracies at which a run is evaluated, when it first comes down to each."""
GOALS = {"nearest": "nearest label", "relabel": "random label", "misclassify": "misclassify"}
"""The goals of L2UL, and what pages call them here."""
GUARDS = {"adv-imp": "ADV+IMP", "imp": "IMP", "adv": "ADV", "none": "no safeguards"}
"""The safeguards, as the paper calls them; to misclassify without any is NegGrad."""


class CoursePoint(NamedTuple):
    """Forget accuracy (training images) and retain accuracy after a step, as fractions."""

    forget: float
    retain: float


class Course(NamedTuple):
    """A run on a draw: what it passed from the original to its end, whether it reached its goal, and its cost."""

    points: list[CoursePoint]
    steps: int
    done: bool
    passes: int
    error: str
    """The error that it ended with; "" for none."""

    def reaches(self, level: float) -> bool:
        """Return whether the run comes down to a forget accuracy."""
        return min(point.forget for point in self.points) <= level


Draws = Mapping[int, Course]
"""The runs of one setting by draw."""
Courses = Mapping[tuple[str, int], Draws]
"""All runs, by setting and number of forget images."""


RETAINED = "retained images"
"""What stands for the safeguards in a run that trains on retained images instead."""


def setting_name(goal: str, guard: str | None) -> str:
    """Return the name of a setting, such as "nearest label, ADV+IMP"; without guard, of one with retained images."""
    return f"{GOALS[goal]}, {RETAINED if guard is None else GUARDS[guard]}"


def read_courses(path: Path = TABLE) -> Courses:
    """Return the runs of a table; none if there is no file."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return courses(list(csv.DictReader(file)))


def courses(rows: Iterable[Mapping[str, str]]) -> Courses:
    """Return the runs of these rows."""
    groups: dict[tuple[str, int], dict[int, list[Mapping[str, str]]]] = {}
    for row in rows:
        draws = groups.setdefault((row["setting"], int(row["images"])), {})
        draws.setdefault(int(row["draw"]), []).append(row)
    return {name: {draw: _course(own) for draw, own in draws.items()} for name, draws in groups.items()}


def _course(rows: Sequence[Mapping[str, str]]) -> Course:
    last = rows[-1]
    points = [CoursePoint(float(row["forget_train"]), float(row["retain"])) for row in rows if not row["error"]]
    steps = max(int(row["step"] or 0) for row in rows)
    return Course(points, steps, last["done"] == "1", int(last["passes"]), last["error"])


def retain_at(course: Sequence[CoursePoint], level: float) -> float:
    """Return the retain accuracy where a course first comes down to a forget accuracy.

    Between two evaluated steps both accuracies are taken to change evenly. Raises ValueError if it never comes down.
    """
    if course[0].forget <= level:
        return course[0].retain
    for before, after in pairwise(course):
        if after.forget <= level:
            share = (before.forget - level) / (before.forget - after.forget)
            return before.retain + share * (after.retain - before.retain)
    raise ValueError(f"The course ends above a forget accuracy of {level}.")


def retained(draws: Draws, level: float) -> dict[int, float]:
    """Return what each run that comes down to a forget accuracy retains there first, in per cent, by draw."""
    return {draw: 100 * retain_at(own.points, level) for draw, own in draws.items() if own.reaches(level)}


def common_level(one: Draws, other: Draws) -> float | None:
    """Return the lowest level that two settings reach in every draw that both were run on; None if there is none."""
    common = one.keys() & other.keys()
    shared = [level for level in LEVELS if all(own[draw].reaches(level) for own in (one, other) for draw in common)]
    return min(shared) if shared and common else None


class Mean(NamedTuple):
    """A mean over draws in per cent, with its standard error (None for a single draw)."""

    value: float
    error: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> "Mean":
        """Return the mean of these values and its standard error."""
        every = list(values)
        return cls(mean(every), stdev(every) / len(every) ** 0.5 if len(every) > 1 else None)

    def __str__(self) -> str:
        return f"{self.value:z.1f}" + ("" if self.error is None else f" ± {self.error:.1f}")


def frontier(draws: Draws) -> dict[float, Mean]:
    """Return what is retained at each forget accuracy that every draw comes down to, from 1, the original, downwards.

    A level that some draws do not reach is left out: those that do may be the easy ones.
    """
    start = {1.0: Mean.of(100 * own.points[0].retain for own in draws.values())}
    reached = {level: retained(draws, level) for level in LEVELS}
    return start | {level: Mean.of(own.values()) for level, own in reached.items() if len(own) == len(draws)}
