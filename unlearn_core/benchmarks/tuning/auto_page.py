"""Writes docs/auto.md: how the preset `auto` works, and how often it succeeds on the grid."""

from collections import Counter
from collections.abc import Mapping, Sequence

from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.tuning.auto_grid import (
    CLASS_LEFT,
    IMAGES_OFF,
    RETAIN_LOST,
    WITHOUT_RETAINED,
    Case,
    cases,
    why_failed,
)
from unlearn_core.benchmarks.tuning.grid_classifiers import grid_classifiers
from unlearn_core.domain.tuning import STEPS_PER_EPOCH
from unlearn_core.engine.tuning import budget, find_settings
from unlearn_core.methods import methods

_HEAD = f"""# Settings that fit

<!-- Made by `make docs` from assets/results/auto.csv: edit the code or measure instead. -->

Hyperparameters that forget a class of one classifier do nothing on another. The preset `auto`, the default for every
classifier but the bundled ResNet-20 on which the presets were tuned, finds them at the start of the run.

1. **A rule.** Small data is shown in as many optimiser steps as the data on which the preset was tuned, in batches so
   small that an epoch has at least {STEPS_PER_EPOCH} of them. The hyperparameters that decide how much is forgotten,
   mostly the learning rate, are those of the preset times a strength, at first 1.
2. **A search.** The run tries up to {budget.MOST_TRIES} strengths, each from the original model:
   {find_settings.STRIDE:g} times as strong if too much is left, a quarter if the retain set suffers, then in between.
   It goes on with the first that reaches the goal, or else with the closest, and then the report says that none did.
3. **The goal.** At most {find_settings.CLASS_LEFT:.0%} of a class is left; single images are predicted as well as
   images of the same classes that the model never saw, within {100 * find_settings.IMAGES_TOLERANCE:g} points; the
   retain set loses at most {100 * find_settings.TOLERANCE:g} points, or {find_settings.FEWEST_LOST} images if that is
   more. Training and validation images decide, never test images.
4. **The cost.** At most half of the run itself, or about two seconds where half is less. Where whole tries cost more,
   each has fewer epochs, and then fewer images. Where forgetting grows with the number of steps, such a try is as many
   times stronger. Its retain set may lose {100 * find_settings.REPAIRED_LATER:g} points more, which the run repairs.
   The cost is counted in images, so the same spec gives the same weights.

A hyperparameter that you set is left alone, on the page, in a link and on the command line:

```bash
python -m unlearn_core run --classifier mlp-moons --forget-classes night --method unsir --set impair_lr=0.01
```

The report shows the tries in *How it went*, and *Use these settings* there takes them over into the page *Method*.

## How often it succeeds

`make auto` runs a grid of classifiers, methods and requests, one run each, with a seed and requests on which no rule
was found. A run succeeds if at most {CLASS_LEFT:.0%} of a class is left, or if the accuracy on single images is within
{100 * IMAGES_OFF:g} points of the retrained model's (L2UL, which aims at misclassification: at most {CLASS_LEFT:.0%}),
and if the accuracy on the retain set is at most {100 * RETAIN_LOST:g} points under the retrained model's. For the
bundled ResNet-20, `auto` is the preset `bundled`. Accuracies are on test images, for single images on these images
themselves. Once, the rules were revised after an earlier measurement of this grid had shown which kinds of runs fail.
Their numbers were again chosen on other requests and seeds, but the grid is no longer quite unseen.
"""


def auto_page(rows: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return docs/auto.md from rows by their keys, by default the committed ones."""
    known = csv_tables.read_rows(csv_tables.AUTO, "key") if rows is None else rows
    measured = {key: case for key, case in cases().items() if key in known}
    usual = [key for key, case in measured.items() if case.method not in WITHOUT_RETAINED]
    others = [key for key, case in measured.items() if case.method in WITHOUT_RETAINED]
    lines = [
        _HEAD,
        f"Measured are {len(measured)} of {len(cases())} cases{_where(measured, known)}.",
        "",
        *_table("Methods with retained data", usual, known),
        *_table("Methods without retained data", others, known),
        *_failures(measured, known),
        *_missing(known),
    ]
    return "\n".join(lines)


def _where(measured: Mapping[str, Case], known: Mapping[str, Mapping[str, str]]) -> str:
    """On which devices, with the classifiers."""
    by_device: dict[str, dict[str, None]] = {}
    for key, case in measured.items():
        by_device.setdefault(known[key]["device"], {})[case.classifier] = None
    return "".join(f"; on {device}: {', '.join(names)}" for device, names in by_device.items())


def _table(title: str, keys: Sequence[str], known: Mapping[str, Mapping[str, str]]) -> list[str]:
    if not keys:
        return []
    tried: Counter[tuple[str, str]] = Counter()
    succeeded: Counter[tuple[str, str]] = Counter()
    for key in keys:
        case = cases()[key]
        tried[case.method, case.classifier] += 1
        succeeded[case.method, case.classifier] += not why_failed(known[key])
    columns = [name for name in grid_classifiers() if any(name == classifier for _, classifier in tried)]
    total, all_tried = sum(succeeded.values()), sum(tried.values())
    return [
        f"### {title}: {total} of {all_tried}",
        "",
        f"| method | {' | '.join(columns)} |",
        f"|---|{'---:|' * len(columns)}",
        *(
            f"| {methods()[method].title} | "
            + " | ".join(_cell(succeeded[method, name], tried[method, name]) for name in columns)
            + " |"
            for method in sorted({method for method, _ in tried})
        ),
        "",
    ]


def _cell(succeeded: int, tried: int) -> str:
    return f"{succeeded} of {tried}" if tried else ""


def _failures(measured: Mapping[str, Case], known: Mapping[str, Mapping[str, str]]) -> list[str]:
    failed = {key: reason for key in measured if (reason := why_failed(known[key]))}
    if not failed:
        return []
    rows = [(measured[key], reason, "yes" if known[key]["found"] == "0" else "no") for key, reason in failed.items()]
    return [
        "### Every failure",
        "",
        "| classifier | method | request | why | did the run say so? |",
        "|---|---|---|---|---|",
        *(
            f"| {case.classifier} | {methods()[case.method].title} | {case.request} | {reason} | {said} |"
            for case, reason, said in rows
        ),
        "",
    ]


def _missing(known: Mapping[str, Mapping[str, str]]) -> list[str]:
    left = Counter(case.classifier for key, case in cases().items() if key not in known)
    if not left:
        return []
    todo = ", ".join(f"{name} ({count})" for name, count in left.items())
    return ["## Not measured yet", "", f"`make auto` measures the other cases: {todo}.", ""]
