"""Findings from the measured rows: published claims, missed limits, and privacy that accuracies do not show."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean, stdev

from unlearn_core.benchmarks import results
from unlearn_core.benchmarks.result_rows import REQUEST_LABELS, REQUESTS, Row, mean_and_deviation, mean_percent
from unlearn_core.benchmarks.results import MAX_BELOW_GOLD, MAX_FORGET_ACCURACY
from unlearn_core.methods import methods

L2UL = {"NegGrad": ("l2ul", "neggrad"), "ADV": ("l2ul", "adv"), "ADV+IMP": ("l2ul", "bundled")}
REINIT_SETTINGS = {
    "as published": ("reinit", "bundled"),
    "nothing excluded": ("reinit", "all-layers"),
    "one cycle": ("reinit", "one-cycle"),
    "by Fisher": ("reinit", "fisher"),
}
"""What the papers compare, as our methods and presets."""


def published_pattern(rows: Sequence[Row]) -> str:
    """Return the claims of the papers, what was measured here, and whether the two agree."""
    at_16 = _figures(rows, L2UL, "16-pictures", "forget_train_after")
    at_200 = _figures(rows, L2UL, "200-pictures", "retain_test_after")
    reinit = _figures(rows, REINIT_SETTINGS, "cat", "distance_after")
    forget, gap = _unsir(rows)
    unbounded = _figures(rows, {"unbounded": ("neggrad", "unbounded")}, "16-pictures", "retain_test_after")
    claims = [
        _claim("L2UL, 16 images: NegGrad, ADV and ADV+IMP all reach 0 % forget accuracy", at_16, lambda v: not any(v)),
        _claim(
            "L2UL, 200 images: ADV+IMP retains at least as much (test accuracy, %) as ADV, and ADV more than NegGrad",
            at_200,
            lambda v: v[2] >= v[1] > v[0],
        ),
        *(
            _claim(
                f"Stochastic re-init, by distance to retrained (bits): {words}",
                {name: reinit[name] for name in ("as published", other)},
                lambda v: v[0] <= v[1],
                rivals=True,
            )
            for other, words in {
                "nothing excluded": "excluding head and shortcuts beats excluding nothing",
                "one cycle": "three cycles beat one at equal epochs",
                "by Fisher": "a random choice of layers is at least as good as one by Fisher information",
            }.items()
        ),
        _claim(
            "UNSIR, mean of ten classes: forget accuracy falls to 0 % (at most 1, test) and retain accuracy stays "
            "within 3 points of the retrained model",
            {"forget accuracy": forget, "below retrained": gap},
            lambda v: v[0] <= 1 and v[1] <= 3,
        ),
        _claim(
            "NegGrad without its stop rule collapses (retain set, test: below 50 %)", unbounded, lambda v: v[0] < 50
        ),
    ]
    return "\n".join(
        ["Where a figure measured here contradicts a paper, the measured figure is reported.", "", *claims]
    )


def _figures(
    rows: Sequence[Row], presets: dict[str, tuple[str, str]], request: str, column: str
) -> dict[str, list[float]]:
    """Return a column's values over the seeds, accuracies in per cent, by the paper's name of method and preset."""
    scale = 1 if column.startswith("distance") else 100
    return {
        name: [
            scale * float(row[column])
            for row in rows
            if (row["method"], row["preset"], row["request"]) == (*preset, request) and row[column]
        ]
        for name, preset in presets.items()
    }


def _unsir(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return the forget accuracy per class in per cent, and how far retain accuracy is below gold's, in points."""
    own = [row for row in rows if (row["method"], row["preset"], row["seed"]) == ("unsir", "bundled", "0")]
    own = [row for row in own if row["request"] != "three-classes"]
    gaps = [float(row["retain_test_gold"]) - float(row["retain_test_after"]) for row in own]
    return [100 * float(row["forget_test_after"]) for row in own], [100 * gap for gap in gaps]


def _claim(
    words: str, figures: dict[str, list[float]], holds: Callable[[list[float]], bool], *, rivals: bool = False
) -> str:
    """Return one line: the paper's claim, whether it holds here, and the figures, mean ± deviation over the runs.

    For two `rivals`, the line notes if their difference is within the spread of their runs.
    """
    if not all(figures.values()):
        return f"* **{words}.** Not measured yet."
    digits = 3 if "bits" in words else 1
    shown = ", ".join(f"{name} {_mean_of(values, digits)}" for name, values in figures.items())
    verdict = "Holds here" if holds([mean(values) for values in figures.values()]) else "**Does not hold here**"
    if rivals and _gap(*figures.values()) < max(map(_deviation, figures.values())):
        verdict += " (the difference is within the spread of the runs)"
    return f"* **{words}.** {verdict}: {shown}."


def _mean_of(values: list[float], digits: int) -> str:
    runs = "1 run" if len(values) == 1 else f"± {stdev(values):.{digits}f}, {len(values)} runs"
    return f"{mean(values):.{digits}f} ({runs})"


def _gap(ours: list[float], theirs: list[float]) -> float:
    return abs(mean(ours) - mean(theirs))


def _deviation(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def failures(rows: Sequence[Row]) -> str:
    """Return which presets `bundled` miss their limits, where, and the known failure modes of their methods."""
    own = [row for row in rows if row["preset"] == "bundled" and row["request"] in REQUESTS]
    cases = {(row["method"], row["request"]) for row in own}
    missed: dict[str, list[str]] = defaultdict(list)
    for (method, request), words in results.missed_limits(own).items():
        missed[method].append(f"{REQUEST_LABELS[request]}: {words}")
    if not missed:
        return "All presets are within their limits."
    without_retain = [name for name in missed if not _uses_retain_set(name)]
    lines = [
        f"With the preset `bundled`, methods miss their limits in {sum(map(len, missed.values()))} of {len(cases)} "
        f"cases, where a case is one method on one request. Of the {len(missed)} methods that do, "
        f"{len(without_retain)} see no retained images, so they cannot repair the damage. With 16 images, one image is "
        "6 points.",
        "",
        "| method | sees retained images | limits missed | known failure modes |",
        "|---|---|---|---|",
    ]
    for name, where in sorted(missed.items(), key=lambda item: (_uses_retain_set(item[0]), item[0])):
        sees = "yes" if _uses_retain_set(name) else "no"
        lines.append(f"| {methods()[name].title} | {sees} | {'; '.join(where)} | {methods()[name].failure_modes} |")
    return "\n".join(lines)


def _uses_retain_set(name: str) -> bool:
    method = methods()[name]
    return method.needs(method.presets["bundled"].params).retain


def privacy_table(rows: Sequence[Row]) -> str:
    """Return what membership inference finds where accuracies look good: all methods on one class."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["request"] == "cat" and row["preset"] == "bundled" and row["privacy_after"]:
            groups[methods()[row["method"]].title].append(row)
    if not groups:
        return "Not measured yet: `make results` measures it."

    def line(name: str, own: list[Row], model: str, privacy: str) -> str:
        figures = [mean_percent(own, f"{one}_{model}") for one in ("forget_train", "forget_test", "retain_test")]
        leak = mean(float(row[f"leak_{model}"]) for row in own)
        return f"| {name} | {' | '.join(f'{figure:.1f}' for figure in figures)} | {leak:.2f} | {privacy} |"

    ordered = sorted(groups.items(), key=lambda item: -mean(float(row["privacy_after"]) for row in item[1]))
    first = ordered[0][1]
    lines = [
        "| forgetting cat | forget set, training | forget set, test | retain set, test | leak | privacy |",
        "|---|---:|---:|---:|---:|---:|",
        line("*original*", first, "before", ""),
        line("*retrained*", first, "gold", "1.00"),
        *(line(name, own, "after", mean_and_deviation(own, "privacy_after", 1, 2)) for name, own in ordered),
    ]
    return "\n".join([*lines, "", _privacy_note(ordered, first)])


def _privacy_note(ordered: list[tuple[str, list[Row]]], gold: list[Row]) -> str:
    """Return how to read the table, and the methods whose accuracies are good but whose privacy is not."""
    min_retain = mean_percent(gold, "retain_test_gold") - 100 * MAX_BELOW_GOLD
    within_limits = [
        (name, mean(float(row["privacy_after"]) for row in own))
        for name, own in ordered
        if mean_percent(own, "forget_test_after") <= 100 * MAX_FORGET_ACCURACY
        and mean_percent(own, "retain_test_after") >= min_retain
    ]
    words = (
        "*Leak* is the largest |AUC - 0.5| of six attacks that predict whether an image of a cat was trained on: 0 "
        "reveals nothing, 0.5 everything. The retrained model was not trained on any, so its leak is due to chance and "
        "the images themselves. *Privacy* is 1 where no attack reveals more about the model than about the retrained "
        "model, and 0 where one reveals everything."
    )
    if len(within_limits) < 2:
        return words
    best, worst = within_limits[0], within_limits[-1]
    return (
        f"{words} By accuracy, {len(within_limits)} methods are within their limits here; among them {best[0]} has a "
        f"privacy of {best[1]:.2f} and {worst[0]} one of {worst[1]:.2f}: accuracies do not show this difference."
    )
