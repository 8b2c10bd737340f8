"""What L2UL's goals and safeguards on 16 images show: settings compared draw by draw at equal forgetting."""

from collections.abc import Sequence

from scipy import stats  # pyright: ignore[reportMissingTypeStubs] -- SciPy has no types.

from unlearn_core.benchmarks.csv_tables import Row
from unlearn_core.benchmarks.reproduction.findings import Claim, compare_pairs
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_frontier import MAIN_SIZE
from unlearn_core.charts.measured.l2ul_courses import (
    GOALS,
    Courses,
    Mean,
    common_level,
    courses,
    retain_at,
    setting_name,
)

MIN_DRAWS = 3
"""The fewest draws that two settings are compared on."""


def published_comparisons(rows: Sequence[Row]) -> list[Claim]:
    """Return what is shown of the paper's claims: its safeguards, with its first goal, and retained images."""
    found = courses(rows)
    claims = [
        _of_guards(found, "misclassify", better, worse) for better, worse in (("adv-imp", "adv"), ("adv", "none"))
    ]
    for goal in ("relabel", "misclassify"):
        names = [setting_name(goal, guard) for guard in (None, "adv-imp")]
        claims.append(_claim(found, f"l2ul-oracle-{goal}", names))
    return claims


def own_comparisons(rows: Sequence[Row]) -> list[Claim]:
    """Return what is shown beyond that: of the goals, and of the other safeguards."""
    found, claims = courses(rows), list[Claim]()
    for better, worse in (("nearest", "misclassify"), ("relabel", "misclassify"), ("nearest", "relabel")):
        names = [setting_name(goal, "adv-imp") for goal in (better, worse)]
        claims.append(_claim(found, f"l2ul-goal-{better}-{worse}", names))
    for goal in GOALS:
        claims += [_of_guards(found, goal, "adv-imp", "imp"), _of_guards(found, goal, "imp", "none")]
        if goal != "misclassify":
            claims += [_of_guards(found, goal, "adv-imp", "adv"), _of_guards(found, goal, "adv", "none")]
    return claims


def _of_guards(found: Courses, goal: str, better: str, worse: str) -> Claim:
    names = [setting_name(goal, guard) for guard in (better, worse)]
    return _claim(found, f"l2ul-{goal}-{better}-{worse}", names)


def _claim(found: Courses, claim: str, names: Sequence[str]) -> Claim:
    """Compare two settings draw by draw where they forget equally much."""
    better, worse = (found.get((name, MAIN_SIZE), {}) for name in names)
    words = f"L2UL on {MAIN_SIZE} images: *{names[0]}* retains more than *{names[1]}* (test images, %)"
    common, level = sorted(better.keys() & worse.keys()), common_level(better, worse)
    if level is None or len(common) < MIN_DRAWS:
        return Claim(claim, words, "not measured", "")
    ours, theirs = ([100 * retain_at(own[draw].points, level) for draw in common] for own in (better, worse))
    difference = compare_pairs(ours, theirs)
    gaps = [one - other for one, other in zip(ours, theirs, strict=True)]
    p = float(stats.ttest_1samp(gaps, 0.0).pvalue)  # pyright: ignore
    figures = (
        f"at {100 * level:g} % left: {Mean.of(ours)} against {Mean.of(theirs)}, {len(common)} draws; paired "
        f"difference {Mean.of(gaps)}, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
    )
    return Claim(claim, words, difference.finding, figures)
