"""What the measured rows say beside their tables: the papers' claims, and what accuracies do not show."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean, stdev

from unlearn_core.benchmarks import results
from unlearn_core.benchmarks.result_rows import REQUESTS, Row, mean_and_deviation, mean_percent
from unlearn_core.benchmarks.results import MAX_BELOW_GOLD, MAX_FORGET_ACCURACY
from unlearn_core.methods import methods

L2UL = {"NegGrad": ("l2ul", "neggrad"), "ADV": ("l2ul", "adv"), "ADV+IMP": ("l2ul", "bundled")}
REINIT_SETTINGS = {
    "as published": ("reinit", "bundled"),
    "nothing excluded": ("reinit", "all-layers"),
    "one cycle": ("reinit", "one-cycle"),
    "by Fisher": ("reinit", "fisher"),
}
"""What the papers compare, as methods and presets of ours."""


def published_pattern(rows: Sequence[Row]) -> str:
    """What the papers say, what was measured here, and whether the two agree."""
    at_16 = _figures(rows, L2UL, "16-pictures", "forget_train_after")
    at_200 = _figures(rows, L2UL, "200-pictures", "retain_test_after")
    redrawn = _figures(rows, REINIT_SETTINGS, "cat", "distance_after")
    forgot, under = _unsir(rows)
    alone = _figures(rows, {"unbounded": ("neggrad", "unbounded")}, "16-pictures", "retain_test_after")
    claims = [
        _claim("L2UL, 16 pictures: NegGrad, ADV and ADV+IMP all reach 0 % on them", at_16, lambda v: not any(v)),
        _claim(
            "L2UL, 200 pictures: ADV+IMP keeps at least as much (unseen, %) as ADV, and ADV more than NegGrad",
            at_200,
            lambda v: v[2] >= v[1] > v[0],
        ),
        *(
            _claim(
                f"Stochastic re-init, by distance to gold (bits): {words}",
                {name: redrawn[name] for name in ("as published", other)},
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
            "UNSIR, mean of ten classes: forgets to 0 % (at most 1, unseen) and keeps within 3 points of gold",
            {"forgotten": forgot, "under gold": under},
            lambda v: v[0] <= 1 and v[1] <= 3,
        ),
        _claim("NegGrad without its stop rule collapses (kept, unseen, under 50 %)", alone, lambda v: v[0] < 50),
    ]
    return "\n".join(["Where a figure measured here contradicts a paper, the figure stands.", "", *claims])


def _figures(
    rows: Sequence[Row], presets: dict[str, tuple[str, str]], request: str, column: str
) -> dict[str, list[float]]:
    """A column's values over the seeds, accuracies in per cent, for methods and presets by their name in the paper."""
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
    """What is left of each of the ten classes, and how far under gold the others are, in per cent and points."""
    own = [row for row in rows if (row["method"], row["preset"], row["seed"]) == ("unsir", "bundled", "0")]
    own = [row for row in own if row["request"] != "three-classes"]
    kept = [float(row["retain_test_gold"]) - float(row["retain_test_after"]) for row in own]
    return [100 * float(row["forget_test_after"]) for row in own], [100 * gap for gap in kept]


def _claim(
    words: str, figures: dict[str, list[float]], holds: Callable[[list[float]], bool], *, rivals: bool = False
) -> str:
    """One line: the paper's claim, whether it holds here, and the figures, mean ± deviation over the runs.

    Of two `rivals` it is said where they are closer than their own runs are to one another.
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
    """Which presets `bundled` miss their limits, where, and what their method is known to fail at."""
    own = [row for row in rows if row["preset"] == "bundled" and row["request"] in REQUESTS]
    cases = {(row["method"], row["request"]) for row in own}
    missed: dict[str, list[str]] = defaultdict(list)
    for (method, request), words in results.missed_limits(own).items():
        missed[method].append(f"{request.replace('-', ' ')}: {words}")
    if not missed:
        return "All presets are within their limits."
    blind = [name for name in missed if not _uses_retain_set(name)]
    lines = [
        f"With its preset `bundled` a method misses its limits in {sum(map(len, missed.values()))} of {len(cases)} "
        f"cases, one case being one method on one request. Of the {len(missed)} methods that do, {len(blind)} see no "
        "kept picture, and so have nothing to mend by. Of 16 pictures one is 6 points.",
        "",
        "| method | sees kept pictures | where it falls short | what is known of it |",
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
    """What membership inference finds where the accuracies look as they should: all methods on one class."""
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
        "| forgetting cat | forget, trained on | forget, unseen | retain, unseen | leak | privacy |",
        "|---|---:|---:|---:|---:|---:|",
        line("*before*", first, "before", ""),
        line("*gold*", first, "gold", "1.00"),
        *(line(name, own, "after", mean_and_deviation(own, "privacy_after", 1, 2)) for name, own in ordered),
    ]
    return "\n".join([*lines, "", _privacy_note(ordered, first)])


def _privacy_note(ordered: list[tuple[str, list[Row]]], gold: list[Row]) -> str:
    """How the table is to be read, and who looks right by accuracy and is not."""
    kept = mean_percent(gold, "retain_test_gold") - 100 * MAX_BELOW_GOLD
    right = [
        (name, mean(float(row["privacy_after"]) for row in own))
        for name, own in ordered
        if mean_percent(own, "forget_test_after") <= 100 * MAX_FORGET_ACCURACY
        and mean_percent(own, "retain_test_after") >= kept
    ]
    words = (
        "*Leak* is the largest |AUC - 0.5| of six attacks that ask whether a picture of a cat was trained on: 0 tells "
        "nothing, 0.5 everything; gold never saw any, so its leak is what chance and the pictures give. *Privacy* is 1 "
        "where no attack tells more about the net than about gold, and 0 where one tells all."
    )
    if len(right) < 2:
        return words
    best, worst = right[0], right[-1]
    return (
        f"{words} By accuracy {len(right)} methods are within their limits here; among them {best[0]} has a privacy of "
        f"{best[1]:.2f} and {worst[0]} one of {worst[1]:.2f}: the accuracies do not show the difference."
    )
