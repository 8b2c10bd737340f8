"""Claims of the papers, and what the measured rows show of them: holds, not shown, or does not hold.

`reproduction/findings.py` has the rule. Where a claim is about equal forgetting, runs are compared where they pass the
same forget accuracy (`reproduction/l2ul_course.py`); their ends show nothing unless they forget equally there.
"""

from collections.abc import Mapping, Sequence
from statistics import mean

from unlearn_core.benchmarks.reproduction.findings import (
    Claim,
    Finding,
    at_most,
    combine,
    compare_means,
    compare_pairs,
    shown,
)
from unlearn_core.benchmarks.reproduction.l2ul_course import lowest_common_level, read_courses
from unlearn_core.benchmarks.result_rows import Row, by_class, mean_row
from unlearn_core.charts.measured.l2ul_courses import CoursePoint, retain_at

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
UNSIR_FASTER = (1, 154)
"""Whether UNSIR is faster than retraining at all, and by as much as published."""


def published_claims(rows: Sequence[Row], courses: Sequence[Mapping[str, str]] = ()) -> list[Claim]:
    """Return every claim with its finding, from the runs and the courses of L2UL's variants."""
    claims: list[Claim] = []
    for request, images in (("16-pictures", 16), ("200-pictures", 200)):
        claims.append(_all_forget(rows, request, images))
        own = read_courses(courses, request)
        for better, worse in (("ADV+IMP", "ADV"), ("ADV", "NegGrad")):
            along = _along(own, images, better, worse)
            claims.append(along or _at_the_end(rows, request, images, better, worse))
    for rival, words in (
        ("nothing excluded", "Excluding head and shortcuts from re-initialisation beats excluding nothing"),
        ("one cycle", "Three cycles of re-initialisation beat one at equal epochs"),
        ("by Fisher", "Layers drawn at random beat layers chosen by Fisher information"),
    ):
        claims.append(_closer(words, rows, rival))
    claims += [_unsir_classes(rows), _unsir_three_classes(rows), _unsir_noise(rows)]
    return [*claims, *(_unsir_faster(rows, times) for times in UNSIR_FASTER), _unbounded(rows)]


def _all_forget(rows: Sequence[Row], request: str, images: int) -> Claim:
    claim = f"l2ul-forget-{images}", f"L2UL, {images} images: NegGrad, ADV and ADV+IMP all reach 0 % forget accuracy"
    found = {name: _values(rows, preset, request, "forget_train_after") for name, preset in L2UL.items()}
    if not all(found.values()):
        return Claim(*claim, "not measured", "")
    return Claim(*claim, "does not hold" if any(map(any, found.values())) else "holds", shown(found, 1))


def _along(courses: dict[str, list[list[CoursePoint]]], images: int, better: str, worse: str) -> Claim | None:
    """Compare retain accuracies where runs pass the same forget accuracy; None if a variant was not followed."""
    if not all(courses.values()):
        return None
    every = [course for own in courses.values() for course in own]
    findings: list[Finding] = []
    figures: list[str] = []
    for level in (every[0][0].forget / 2, lowest_common_level(every)):
        retain = {name: [100 * retain_at(course, level) for course in courses[name]] for name in (better, worse)}
        difference = compare_means(retain[better], retain[worse])
        findings.append(difference.finding)
        figures.append(f"at {100 * level:.1f} % forget accuracy: {shown(retain, 1)}; {difference.text(1)}")
    words = (
        f"L2UL, {images} images: {better} retains more than {worse} where both forget equally along their runs (retain "
        "accuracy on test images, %)"
    )
    return Claim(f"l2ul-{better}-{images}", words, combine(findings), "; ".join(figures))


def _at_the_end(rows: Sequence[Row], request: str, images: int, better: str, worse: str) -> Claim:
    """Compare retain accuracies at the end of the runs, as far as the two forget equally much there."""
    words = f"L2UL, {images} images: {better} retains more than {worse} (retain accuracy on test images, %)"
    claim = f"l2ul-{better}-{images}", words
    retain = {name: _values(rows, L2UL[name], request, "retain_test_after") for name in (better, worse)}
    if not all(retain.values()):
        return Claim(*claim, "not measured", "")
    left = {name: mean(_values(rows, L2UL[name], request, "forget_train_after")) for name in (better, worse)}
    if abs(left[better] - left[worse]) > EQUAL_FORGETTING:
        unequal = " and ".join(f"{share:.1f} % by {name}" for name, share in left.items())
        return Claim(*claim, "not shown", f"forgetting is not equal: still classified correctly are {unequal}")
    difference = compare_means(retain[better], retain[worse])
    return Claim(*claim, difference.finding, f"{shown(retain, 1)}; {difference.text(1)}")


def _closer(words: str, rows: Sequence[Row], rival: str) -> Claim:
    """Compare distances to the retrained model: the smaller, the better."""
    claim = f"reinit-cat-{rival}", f"{words} (distance to the retrained model, bits)"
    found = {name: _values(rows, REINIT[name], "cat", "distance_after", 1) for name in ("as published", rival)}
    if not all(found.values()):
        return Claim(*claim, "not measured", "")
    difference = compare_means(found[rival], found["as published"])
    return Claim(*claim, difference.finding, f"{shown(found, 3)}; {difference.text(3)}")


def _unsir_classes(rows: Sequence[Row]) -> Claim:
    own = [mean_row(of_class) for of_class in by_class(rows, "bundled").values()]
    return _unsir("unsir-classes", "UNSIR, mean of ten classes", own, "classes")


def _unsir_three_classes(rows: Sequence[Row]) -> Claim:
    own = [row for row in _rows(rows, "unsir", "bundled") if row["request"] == "three-classes"]
    return _unsir("unsir-three-classes", "UNSIR, three classes at once", own, "runs")


def _unsir(name: str, what: str, own: Sequence[Row], unit: str) -> Claim:
    words = (
        f"{what}: forget accuracy is at most {UNSIR_FORGET:.0f} % and retain accuracy at most "
        f"{UNSIR_BELOW_GOLD:.0f} points below the retrained model (test images)"
    )
    if not own:
        return Claim(name, words, "not measured", "")
    forget = [100 * float(row["forget_test_after"]) for row in own]
    below = [100 * (float(row["retain_test_gold"]) - float(row["retain_test_after"])) for row in own]
    findings = {at_most(forget, UNSIR_FORGET), at_most(below, UNSIR_BELOW_GOLD)}
    order: tuple[Finding, ...] = ("does not hold", "not shown", "holds")
    figures = shown({"forget accuracy": forget, "below retrained": below}, 1, unit, intervals=True)
    return Claim(name, words, next(finding for finding in order if finding in findings), figures)


def _unsir_noise(rows: Sequence[Row]) -> Claim:
    """Compare forgetting with and without noise images, class by class."""
    words = "UNSIR forgets more with noise images than without (forget accuracy on test images, preset bundled, %)"
    bare, noisy = (
        {name: mean_row(own) for name, own in by_class(rows, preset).items()} for preset in ("no-noise", "bundled")
    )
    with_noise = [row for name, row in noisy.items() if name in bare]
    if not with_noise:
        return Claim("unsir-noise", words, "not measured", "")
    left = {
        "with": [100 * float(row["forget_test_after"]) for row in with_noise],
        "without": [100 * float(bare[row["request"]]["forget_test_after"]) for row in with_noise],
    }
    difference = compare_pairs(left["without"], left["with"])
    return Claim("unsir-noise", words, difference.finding, f"{shown(left, 1, 'classes')}; {difference.text(1)}")


def _unsir_faster(rows: Sequence[Row], times: int) -> Claim:
    words = f"UNSIR needs {f'{times} times fewer' if times > 1 else 'fewer'} sample passes than retraining (cat)"
    own, retrained = (
        [float(row["passes"]) for row in _rows(rows, method, "bundled") if row["request"] == "cat"]
        for method in ("unsir", "retrain")
    )
    if not own or not retrained:
        return Claim(f"unsir-faster-{times}", words, "not measured", "")
    ratio = mean(retrained) / mean(own)
    figures = (
        f"{mean(own):,.0f} instead of {mean(retrained):,.0f}, {ratio:.0f} times fewer; a count, the same in each run"
    )
    return Claim(f"unsir-faster-{times}", words, "holds" if ratio > times else "does not hold", figures)


def _unbounded(rows: Sequence[Row]) -> Claim:
    words = (
        "NegGrad without its guards (preset unbounded: another rate, no loss cap, clipping, fixed batch norm or stop "
        "rule, all at once) falls below 50 % retain accuracy"
    )
    values = _values(rows, ("neggrad", "unbounded"), "16-pictures", "retain_test_after")
    if not values:
        return Claim("neggrad-unbounded", words, "not measured", "")
    return Claim("neggrad-unbounded", words, at_most(values, 50.0), shown({"retain accuracy": values}, 1))


def _rows(rows: Sequence[Row], method: str, preset: str) -> list[Row]:
    """Return the rows of a preset."""
    return [row for row in rows if (row["method"], row["preset"]) == (method, preset)]


def _values(rows: Sequence[Row], preset: tuple[str, str], request: str, column: str, scale: float = 100) -> list[float]:
    """Return a column's values over the seeds, by default in per cent."""
    return [scale * float(row[column]) for row in _rows(rows, *preset) if row["request"] == request and row[column]]
