"""Writes docs/tuning.md: whether each preset is the best of its trials, and which trials are still to be measured."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.tuning.trials import PRESET, trials_by_key
from unlearn_core.methods import methods

MEANINGLESS = 3.0
"""Differences of the objective below so many points are within chance: one seed, and about 1,000 validation images."""
LABELS = {"airplane": "airplane", "dog": "dog", "16-others": "16 images", "200-others": "200 images"}
_HEAD = """# Tuning

<!-- Made by `make docs` from assets/results/tuning.csv: edit the code or measure instead. -->

Are the presets `bundled` well chosen? `make tune` tries values around each of them: one or two main hyperparameters,
halved and doubled one at a time. Every trial is a row of [tuning.csv](../assets/results/tuning.csv).

* **Requests**: airplane and dog, and 16 and 200 training images drawn with other seeds than the standard requests.
  One seed, which [RESULTS.md](../RESULTS.md) does not use.
* **Images**: training and validation images only. A trial gets a data set without test images.
* **Objective**: retain accuracy on validation images, minus the distance of forget accuracy from its aim. For a class
  the aim is 0, and the larger accuracy of training and validation images counts. For single images it is the accuracy
  of the original on validation images: what a model reaches on images that it never saw. L2UL aims at 0 there too.

The presets were chosen before this table existed, by trials that were not recorded. They are not changed where a trial
is better, because measured rows depend on them. Differences below 3 points are within chance: each trial is one run.
"""


def tuning_page(rows: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return docs/tuning.md from rows by their keys, by default the committed ones."""
    known = csv_tables.read_rows(csv_tables.TUNING, "key") if rows is None else rows
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, trial in trials_by_key().items():
        groups[trial.method, trial.request].append(key)
    ordered = sorted(groups, key=lambda group: (group[0], [*LABELS].index(group[1])))
    count = sum(key in known for key in trials_by_key())
    lines = [
        _HEAD,
        f"Measured are {count} of {len(trials_by_key())} trials. Objectives are in points of accuracy.",
        "",
        "| preset of | request | trials | preset | best other trial | was the preset the best? |",
        "|---|---|---:|---:|---:|---|",
        *(_line(*group, groups[group], known) for group in ordered),
        "",
        *_missing(known),
    ]
    return "\n".join(lines)


def _line(method: str, request: str, keys: list[str], known: Mapping[str, Mapping[str, str]]) -> str:
    own = {trials_by_key()[key].label: known[key] for key in keys if key in known}
    found = {label: 100 * float(row["objective"]) for label, row in own.items() if row["objective"]}
    cells = f"| {methods()[method].title} | {LABELS[request]} | {len(own)} of {len(keys)} |"
    others = {label: value for label, value in found.items() if label != PRESET}
    if PRESET not in found or not others:
        diverges = PRESET in own and PRESET not in found
        return f"{cells} | | {'no: the preset diverges' if diverges else 'not measured'} |"
    best = max(others, key=others.__getitem__)
    cells += f" {found[PRESET]:.1f} | {others[best]:.1f} (`{best}`) |"
    return f"{cells} {_verdict(others[best] - found[PRESET], best, complete=len(own) == len(keys))} |"


def _verdict(ahead: float, best: str, *, complete: bool) -> str:
    so_far = "" if complete else ", of the trials so far"
    if ahead <= 0:
        return f"yes{so_far}"
    return f"no: `{best}` is {ahead:.1f} points better{', within chance' if ahead < MEANINGLESS else ''}{so_far}"


def _missing(known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what is not measured, with the command that measures it."""
    left = Counter(trial.method for key, trial in trials_by_key().items() if key not in known)
    lines = [
        f"* {methods()[name].title}, {count} trial{'s' * (count > 1)}: `python -m unlearn_core tune --only {name}`"
        for name, count in sorted(left.items())
    ]
    return ["## Not measured yet", "", *lines, ""] if lines else []
