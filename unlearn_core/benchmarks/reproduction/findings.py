"""What measured figures show of a claim, and how certain they are.

Groups of runs are compared by the difference of their means and its standard error (Welch's test, one-sided, 5 %). This
is the same as asking whether the 90 % interval of the difference, which is printed, lies on one side of zero. One run
has no spread, so with it nothing is shown.
"""

from collections.abc import Collection, Sequence
from statistics import mean, stdev
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

Finding = Literal["holds", "holds in part", "not shown", "does not hold", "not measured"]

LEVEL = 0.05
CONFIDENCE = 1 - 2 * LEVEL
"""The confidence of printed intervals; one-sided tests at LEVEL agree with them."""


class Claim(NamedTuple):
    """A claim in words, what was found, and the figures behind it; `id` names it where pages refer to it."""

    id: str
    words: str
    finding: Finding
    figures: str

    def __str__(self) -> str:
        return f"* **{self.words}**: {self.finding}{f' ({self.figures})' if self.figures else ''}."


class Difference(NamedTuple):
    """The difference of two means, whether it is shown to be above zero, and its interval (None if it has none)."""

    finding: Finding
    value: float
    interval: tuple[float, float] | None

    def text(self, digits: int) -> str:
        """Return "difference 22.2, 90 % interval 17.6 to 26.9"."""
        return f"difference {self.value:z.{digits}f}{_interval_text(self.interval, digits)}"


def combine(findings: Collection[Finding]) -> Finding:
    """Return the finding for a claim that several comparisons belong to."""
    if set(findings) == {"holds"}:
        return "holds"
    if "holds" in findings or "holds in part" in findings:
        return "holds in part"
    if "does not hold" in findings:
        return "does not hold"
    return "not shown" if "not shown" in findings else "not measured"


def compare_means(better: Sequence[float], worse: Sequence[float]) -> Difference:
    """Return whether the first mean is shown to be larger, or smaller, and the difference."""
    value = mean(better) - mean(worse)
    if min(len(better), len(worse)) < 2:
        return Difference("not shown", value, None)
    if not np.ptp(better) and not np.ptp(worse):
        return Difference(
            "holds" if value > 0 else "does not hold" if value < 0 else "not shown", value, (value, value)
        )
    test = stats.ttest_ind(better, worse, equal_var=False)  # pyright: ignore
    low, high = (float(end) for end in test.confidence_interval(CONFIDENCE))  # pyright: ignore
    return Difference(_side(low, high, 0.0), value, (low, high))


def compare_pairs(better: Sequence[float], worse: Sequence[float]) -> Difference:
    """Return the same for values that belong together in pairs, such as those of one class."""
    differences = [one - other for one, other in zip(better, worse, strict=True)]
    interval = mean_interval(differences)
    return Difference("not shown" if interval is None else _side(*interval, 0.0), mean(differences), interval)


def compare_estimates(value: float, other: float, *, error: float) -> Difference:
    """Return the same for two estimates whose difference has this standard error."""
    half = float(stats.norm.ppf(1 - LEVEL)) * error  # pyright: ignore
    low, high = value - other - half, value - other + half
    return Difference(_side(low, high, 0.0), value - other, (low, high))


def at_most(values: Sequence[float], limit: float) -> Finding:
    """Return whether a mean is shown to be at most, or above, a limit (one-sided t-tests)."""
    interval = mean_interval(values)
    if interval is None:
        return "not shown"
    low, high = interval
    return ("holds" if low <= limit else "does not hold") if low == high else _side(-high, -low, -limit)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the interval of a mean over runs; None for a single run."""
    if len(values) < 2:
        return None
    half = stats.t.ppf(1 - LEVEL, len(values) - 1) * stdev(values) / len(values) ** 0.5  # pyright: ignore
    return mean(values) - float(half), mean(values) + float(half)  # pyright: ignore


def shown(found: dict[str, list[float]], digits: int, unit: str = "runs", *, intervals: bool = False) -> str:
    """Return the means with standard deviation and number: "ADV 40.6 ± 0.5, 3 runs"."""
    said: list[str] = []
    for name, values in found.items():
        spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
        count = f"{len(values)} {unit}" if len(values) > 1 else "1 run"
        interval = _interval_text(mean_interval(values), digits) if intervals else ""
        said.append(f"{name} {mean(values):.{digits}f}{spread}, {count}{interval}")
    return "; ".join(said)


def _interval_text(interval: tuple[float, float] | None, digits: int) -> str:
    if interval is None or interval[0] == interval[1]:
        return ""
    return f", {CONFIDENCE:.0%} interval {interval[0]:z.{digits}f} to {interval[1]:z.{digits}f}".replace("%", " %")


def _side(low: float, high: float, limit: float) -> Finding:
    """Return whether an interval lies above a limit, below it, or on both sides."""
    return "holds" if low > limit else "does not hold" if high < limit else "not shown"
