"""The section of RESULTS.md on the preset `auto`: how often it succeeds on the grid, with every failure."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from unlearn_core.benchmarks.csv_tables import Row
from unlearn_core.benchmarks.tuning.auto_grid import (
    CLASS_LEFT,
    IMAGES,
    IMAGES_OFF,
    RETAIN_LOST,
    WITHOUT_RETAINED,
    Case,
    cases,
    caution,
    why_failed,
)
from unlearn_core.benchmarks.tuning.grid_classifiers import grid_classifiers
from unlearn_core.methods import methods

TITLE = "The preset auto on other classifiers"


def auto_section(known: Mapping[str, Row], runs: Sequence[Row] = ()) -> str:
    """Return the section without its title, from the grid's rows by their keys and the rows of the presets' runs."""
    measured = {key: case for key, case in cases().items() if key in known}
    cautioned = [key for key, case in measured.items() if caution(case) is not None]
    others = [key for key in measured if key not in cautioned]
    lines = [
        _INTRODUCTION,
        "",
        f"{_CRITERION}{_same_by_retraining(runs)}",
        "",
        f"Measured are {len(measured)} of {len(cases())} cases{_where(measured, known)}.",
        "",
        *_table("Methods with retained data", _of(others, WITHOUT_RETAINED, False), known),
        *_table("Methods without retained data", _of(others, WITHOUT_RETAINED, True), known),
        *_table("Not expected to work, as the methods say before the run", cautioned, known),
        *_failures(measured, known),
        *_missing(known),
    ]
    return "\n".join(lines).rstrip()


_INTRODUCTION = (
    "The presets above were tuned on the bundled ResNet-20. For other classifiers the default is `auto`: a run finds "
    "its own hyperparameters ([Settings that fit](docs/auto.md)). `make auto` runs a grid of classifiers, methods and "
    "requests, one run each, with a seed and requests on which no rule was found. For the bundled ResNet-20, `auto` is "
    "the preset `bundled`. Once, the rules were revised after an earlier measurement of this grid had shown which "
    "kinds of runs fail. Their numbers were again chosen on other requests and seeds, but the grid is no longer quite "
    "unseen."
)
_CRITERION = (
    f"A run succeeds if at most {CLASS_LEFT:.0%} of a class is left, or if the accuracy on single images is within "
    f"{100 * IMAGES_OFF:g} points of the retrained model's (L2UL, which aims at misclassification: at most "
    f"{CLASS_LEFT:.0%}), and if the accuracy on the retain set is at most {100 * RETAIN_LOST:g} points under the "
    "retrained model's. Accuracies are on test images, for single images on these images themselves."
)


def _same_by_retraining(runs: Sequence[Row]) -> str:
    """Return how often another retrained model meets the criterion for 16 images: what it can tell at best."""
    again = [row for row in runs if (row["method"], row["request"]) == ("retrain", "16-pictures")]
    if not again:
        return ""
    off = [abs(float(row["forget_train_after"]) - float(row["forget_train_gold"])) for row in again]
    near = sum(value <= IMAGES_OFF for value in off)
    return (
        f" Of {IMAGES} images, {100 * IMAGES_OFF:g} points are one image: even of models retrained from other seeds "
        f"(ResNet-20, standard request), {near} of {len(again)} are so close to the retrained model."
    )


def _of(keys: Iterable[str], methods: Container[str], wanted: bool) -> list[str]:
    return [key for key in keys if (cases()[key].method in methods) is wanted]


def _where(measured: Mapping[str, Case], known: Mapping[str, Row]) -> str:
    """On which devices, with the classifiers."""
    by_device: dict[str, dict[str, None]] = {}
    for key, case in measured.items():
        by_device.setdefault(known[key]["device"], {})[case.classifier] = None
    return "".join(f"; on {device}: {', '.join(names)}" for device, names in by_device.items())


def _table(title: str, keys: Sequence[str], known: Mapping[str, Row]) -> list[str]:
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


def _failures(measured: Mapping[str, Case], known: Mapping[str, Row]) -> list[str]:
    failed = {key: reason for key in measured if (reason := why_failed(known[key]))}
    if not failed:
        return []
    rows = [(measured[key], reason, _said(measured[key], known[key])) for key, reason in failed.items()]
    return [
        "### Every failure",
        "",
        "| classifier | method | request | why | was it said? |",
        "|---|---|---|---|---|",
        *(
            f"| {case.classifier} | {methods()[case.method].title} | {case.request} | {reason} | {said} |"
            for case, reason, said in rows
        ),
        "",
    ]


def _said(case: Case, row: Row) -> str:
    """Return when the failure was said: before the run, by its search, or not at all."""
    if caution(case) is not None:
        return "before"
    return "by its search" if row["found"] == "0" else "no"


def _missing(known: Mapping[str, Row]) -> list[str]:
    left = Counter(case.classifier for key, case in cases().items() if key not in known)
    if not left:
        return []
    todo = ", ".join(f"{name} ({count})" for name, count in left.items())
    return ["### Not measured yet", "", f"`make auto` measures the other cases: {todo}.", ""]
