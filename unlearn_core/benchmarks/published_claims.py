"""Claims of the papers, and what the measured rows show of them: holds, not shown, or does not hold.

Two groups of runs are compared by the difference of their means and its standard error (Welch's test, one-sided, 5 %).
One run has no spread, so with it nothing is shown. Nor is it where a claim is about equal forgetting, and forgetting is
not equal.
"""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.benchmarks.result_rows import Row

Finding = Literal["holds", "not shown", "does not hold", "not measured"]

LEVEL = 0.05
EQUAL_FORGETTING = 1.0
"""Forget accuracies that differ by at most so many points count as equal."""

L2UL = {"NegGrad": ("l2ul", "neggrad"), "ADV": ("l2ul", "adv"), "ADV+IMP": ("l2ul", "bundled")}
REINIT = {
    "as published": ("reinit", "bundled"),
    "nothing excluded": ("reinit", "all-layers"),
    "one cycle": ("reinit", "one-cycle"),
    "by Fisher": ("reinit", "fisher"),
}
"""What the papers compare, as our methods and presets."""
UNSIR_FORGET, UNSIR_BELOW_GOLD = 1.0, 3.0
"""What UNSIR's claim means here: at most so many per cent, and points below the retrained model."""


class Claim(NamedTuple):
    """A claim in words, what was found, and the figures behind it."""

    words: str
    finding: Finding
    figures: str

    def __str__(self) -> str:
        return f"* **{self.words}**: {self.finding}{f' ({self.figures})' if self.figures else ''}."


def published_claims(rows: Sequence[Row]) -> list[Claim]:
    """Return every claim with its finding."""
    claims = [_all_forget(rows)]
    for request, images in (("16-pictures", 16), ("200-pictures", 200)):
        claims += [_l2ul(rows, request, images, *pair) for pair in (("ADV+IMP", "ADV"), ("ADV", "NegGrad"))]
    claims += [
        _closer(
            "Excluding head and shortcuts from re-initialisation beats excluding nothing", rows, "nothing excluded"
        ),
        _closer("Three cycles of re-initialisation beat one at equal epochs", rows, "one cycle"),
        _closer("Layers drawn at random beat layers chosen by Fisher information", rows, "by Fisher"),
        _unsir(rows),
        _unbounded(rows),
    ]
    return claims


def _all_forget(rows: Sequence[Row]) -> Claim:
    words = "L2UL, 16 images: NegGrad, ADV and ADV+IMP all reach 0 % forget accuracy"
    found = {name: _values(rows, preset, "16-pictures", "forget_train_after") for name, preset in L2UL.items()}
    if not all(found.values()):
        return Claim(words, "not measured", "")
    return Claim(words, "does not hold" if any(map(any, found.values())) else "holds", _shown(found, 1))


def _l2ul(rows: Sequence[Row], request: str, images: int, better: str, worse: str) -> Claim:
    """Compare retain accuracies, as far as the two forget equally much."""
    words = f"L2UL, {images} images: {better} retains more than {worse} (retain accuracy on test images, %)"
    retain = {name: _values(rows, L2UL[name], request, "retain_test_after") for name in (better, worse)}
    if not all(retain.values()):
        return Claim(words, "not measured", "")
    left = {name: mean(_values(rows, L2UL[name], request, "forget_train_after")) for name in (better, worse)}
    if abs(left[better] - left[worse]) > EQUAL_FORGETTING:
        unequal = " and ".join(f"{share:.1f} % by {name}" for name, share in left.items())
        return Claim(words, "not shown", f"forgetting is not equal: still classified correctly are {unequal}")
    finding, difference = compare_means(retain[better], retain[worse])
    return Claim(words, finding, f"{_shown(retain, 1)}; difference {difference:.1f}")


def _closer(words: str, rows: Sequence[Row], rival: str) -> Claim:
    """Compare distances to the retrained model: the smaller, the better."""
    words = f"{words} (distance to the retrained model, bits)"
    found = {name: _values(rows, REINIT[name], "cat", "distance_after", 1) for name in ("as published", rival)}
    if not all(found.values()):
        return Claim(words, "not measured", "")
    finding, difference = compare_means(found[rival], found["as published"])
    return Claim(words, finding, f"{_shown(found, 3)}; difference {difference:.3f}")


def _unsir(rows: Sequence[Row]) -> Claim:
    words = (
        f"UNSIR, mean of ten classes: forget accuracy is at most {UNSIR_FORGET:.0f} % and retain accuracy at most "
        f"{UNSIR_BELOW_GOLD:.0f} points below the retrained model (test images)"
    )
    own = [row for row in rows if (row["method"], row["preset"], row["seed"]) == ("unsir", "bundled", "0")]
    own = [row for row in own if row["request"] not in ("three-classes", "16-pictures", "200-pictures")]
    if not own:
        return Claim(words, "not measured", "")
    forget = [100 * float(row["forget_test_after"]) for row in own]
    below = [100 * (float(row["retain_test_gold"]) - float(row["retain_test_after"])) for row in own]
    findings = {_at_most(forget, UNSIR_FORGET), _at_most(below, UNSIR_BELOW_GOLD)}
    order: tuple[Finding, ...] = ("does not hold", "not shown", "holds")
    figures = _shown({"forget accuracy": forget, "below retrained": below}, 1, "classes")
    return Claim(words, next(finding for finding in order if finding in findings), figures)


def _unbounded(rows: Sequence[Row]) -> Claim:
    words = (
        "NegGrad without its guards (preset unbounded: another rate, no loss cap, clipping, fixed batch norm or stop "
        "rule, all at once) falls below 50 % retain accuracy"
    )
    values = _values(rows, ("neggrad", "unbounded"), "16-pictures", "retain_test_after")
    if not values:
        return Claim(words, "not measured", "")
    return Claim(words, _at_most(values, 50.0), _shown({"retain accuracy": values}, 1))


def compare_means(better: Sequence[float], worse: Sequence[float]) -> tuple[Finding, float]:
    """Return whether the first mean is shown to be larger, or smaller, and the difference."""
    difference = mean(better) - mean(worse)
    if min(len(better), len(worse)) < 2:
        return "not shown", difference
    if not np.ptp(better) and not np.ptp(worse):
        return ("holds" if difference > 0 else "does not hold" if difference < 0 else "not shown"), difference
    p_larger = float(stats.ttest_ind(better, worse, equal_var=False, alternative="greater").pvalue)  # pyright: ignore
    return _by_p(p_larger), difference


def _at_most(values: Sequence[float], limit: float) -> Finding:
    """Return whether a mean is shown to be at most, or above, a limit (one-sided t-tests)."""
    if len(values) < 2:
        return "not shown"
    if not np.ptp(values):
        return "holds" if values[0] <= limit else "does not hold"
    return _by_p(float(stats.ttest_1samp(values, limit, alternative="less").pvalue))  # pyright: ignore


def _by_p(p_value: float) -> Finding:
    return "holds" if p_value < LEVEL else "does not hold" if p_value > 1 - LEVEL else "not shown"


def _values(rows: Sequence[Row], preset: tuple[str, str], request: str, column: str, scale: float = 100) -> list[float]:
    """Return a column's values over the seeds, by default in per cent."""
    return [
        scale * float(row[column])
        for row in rows
        if (row["method"], row["preset"], row["request"]) == (*preset, request) and row[column]
    ]


def _shown(found: dict[str, list[float]], digits: int, unit: str = "runs") -> str:
    """Return the means with standard deviation and number: "ADV 40.6 ± 0.5, 3 runs"."""
    said: list[str] = []
    for name, values in found.items():
        spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
        count = f"{len(values)} {unit}" if len(values) > 1 else "1 run"
        said.append(f"{name} {mean(values):.{digits}f}{spread}, {count}")
    return "; ".join(said)
