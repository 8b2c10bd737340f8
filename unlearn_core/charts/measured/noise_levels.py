"""Runs of UNSIR with learned, random and no noise, by learning rate: means over classes with their standard errors.

The seeds of a class are not independent of each other, so a class counts once, with the mean of its seeds. Only classes
and seeds that were run with every kind of noise count, and only learning rates at which all classes were, so an
unfinished measurement is balanced.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from unlearn_core.installation import ASSETS

TABLE = ASSETS / "results" / "unsir_noise.csv"
KINDS: tuple[str, ...] = ("learned", "random", "none")
KIND_LABELS = {"learned": "learned noise", "random": "random noise", "none": "no noise"}

Row = Mapping[str, str]


class Estimate(NamedTuple):
    """A mean over classes in per cent, with its standard error (0 for a single class)."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Estimate":
        """Return the mean of these values and its standard error."""
        every = list(values)
        return cls(mean(every), stdev(every) / len(every) ** 0.5 if len(every) > 1 else 0.0)

    def __str__(self) -> str:
        return f"{self.value:z.1f} ± {self.error:.1f}"


class NoiseLevel(NamedTuple):
    """The runs at one learning rate that have all kinds of noise: by class and seed, then by kind."""

    rate: float
    runs: Mapping[tuple[str, str], Mapping[str, Row]]

    def by_class(self, column: str, kind: str) -> dict[str, float]:
        """Return a column's value for every class in per cent, the mean over its seeds."""
        found: dict[str, list[float]] = defaultdict(list)
        for (name, _), kinds in self.runs.items():
            found[name].append(100 * float(kinds[kind][column]))
        return {name: mean(values) for name, values in found.items()}

    def estimate(self, column: str, kind: str) -> Estimate:
        """Return the mean of a column over the classes."""
        return Estimate.of(self.by_class(column, kind).values())

    def gaps(self, column: str, kind: str, other: str) -> list[float]:
        """Return by how many points a column is higher with one kind of noise than with another, class by class."""
        own, others = self.by_class(column, kind), self.by_class(column, other)
        return [own[name] - others[name] for name in own]


def read_levels(path: Path = TABLE) -> list[NoiseLevel]:
    """Return the levels of a table; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return noise_levels(list(csv.DictReader(file)))


def noise_levels(rows: Sequence[Row]) -> list[NoiseLevel]:
    """Return the learning rates in ascending order at which all classes were run with all kinds of noise.

    All classes are as many as there are at the rate that has most of them.
    """
    found: dict[float, dict[tuple[str, str], dict[str, Row]]] = defaultdict(dict)
    for row in rows:
        found[float(row["rate"])].setdefault((row["class"], row["seed"]), {})[row["noise"]] = row
    whole = {
        rate: {name: kinds for name, kinds in found[rate].items() if set(kinds) == set(KINDS)} for rate in sorted(found)
    }
    classes = {rate: len({name for name, _ in runs}) for rate, runs in whole.items()}
    return [NoiseLevel(rate, runs) for rate, runs in whole.items() if runs and classes[rate] == max(classes.values())]
