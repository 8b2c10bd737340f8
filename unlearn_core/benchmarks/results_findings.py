"""Findings from the measured rows: published claims, missed limits, and privacy that accuracies do not show."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean

from unlearn_core.benchmarks import results
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.published_claims import published_claims
from unlearn_core.benchmarks.result_rows import REQUEST_LABELS, REQUESTS, Row, mean_and_deviation, mean_percent
from unlearn_core.benchmarks.results import MAX_BELOW_GOLD, MAX_FORGET_ACCURACY
from unlearn_core.methods import methods


def published_pattern(tables: Tables) -> str:
    """Return the claims of the papers, and what the rows show of them."""
    return "\n".join(
        [
            "*Holds* and *does not hold* are shown by the difference of means and its standard error (Welch's test, "
            "one-sided, 5 %); *not shown* is everything else. A figure that contradicts a paper is reported as it is. "
            "[docs/reproduction.md](docs/reproduction.md) goes through the three core works claim by claim.",
            "",
            *map(str, published_claims(tables.runs, tables.courses)),
        ]
    )


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
        cells = " | ".join(f"{figure:.1f}" for figure in figures)
        return f"| {name} | {'' if model != 'after' else len(own)} | {cells} | {leak:.2f} | {privacy} |"

    ordered = sorted(groups.items(), key=lambda item: -mean(float(row["privacy_after"]) for row in item[1]))
    first = ordered[0][1]
    lines = [
        "| forgetting cat | runs | forget set, training | forget set, test | retain set, test | leak | privacy |",
        "|---|---:|---:|---:|---:|---:|---:|",
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
        if len(own) > 1
        and mean_percent(own, "forget_test_after") <= 100 * MAX_FORGET_ACCURACY
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
        f"{words} By accuracy, {len(within_limits)} methods with several runs are within their limits here; among them "
        f"{best[0]} has a privacy of {best[1]:.2f} and {worst[0]} one of {worst[1]:.2f}: accuracies do not show this "
        "difference."
    )
