"""Wording shared by all charts: formatted numbers and durations, joined names, and labels of the sets of images."""

import re
from collections.abc import Sequence
from math import isnan

from unlearn_core.domain import split
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.predictions import AccuracyResult, InterclassConfusionResult

SET_LABELS = {name: label for name, label in split.SET_LABELS.items() if not name.endswith("_val")}
"""The sets that charts draw, from top to bottom, each label in two lines; validation sets are only in the tables."""
MODEL_LABELS = {"before": "before", "after": "after", "gold": "retrained", "twin": "second retrained"}
"""What a chart calls each model in tight places: a legend, a label beside a line, a column."""
NO_VALUE = "no value"
"""Stands for a number that is not defined, such as an accuracy on no images."""
_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float, digits: int = 1) -> str:
    """A share (0 to 1) as "86.2 %", joined by a no-break space; nan is NO_VALUE."""
    return NO_VALUE if isnan(share) else f"{100 * share:.{digits}f}{_SPACE}%"


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign, and never minus zero; nan is NO_VALUE."""
    if isnan(value):
        return NO_VALUE
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def describe_change(before: float, after: float) -> str:
    """How a share changed: "lost 0.5 points", "gained 1.0 points" or "stayed the same"."""
    points = 100 * (after - before)
    if abs(points) < 0.05:
        return "stayed the same"
    return f"{'lost' if points < 0 else 'gained'} {abs(points):.1f}{_SPACE}points"


def seconds(value: float) -> str:
    """A duration: "0.42 s", "14.2 s" or "3 min 5 s"."""
    if value >= 120:
        return f"{int(value // 60)}{_SPACE}min {int(value % 60)}{_SPACE}s"
    return f"{value:.2f}{_SPACE}s" if value < 1 else f"{value:.1f}{_SPACE}s"


def p_value(value: float) -> str:
    """A p-value as "p < 0.001" or "p = 0.21"."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def join_words(words: Sequence[str], limit: int = 4) -> str:
    """ "a", "a and b", "a, b and c"; beyond `limit` words the rest is counted."""
    shown = list(words) if len(words) <= limit else [*words[: limit - 1], f"{len(words) - limit + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def short_layers(layers: Sequence[str]) -> list[str]:
    """Layer names such as "stage1.0" without their first word, unless two would then be the same."""
    short = [re.sub(r"^[a-z_]+(?=\d)", "", layer) for layer in layers]
    return short if len(set(short)) == len(short) else list(layers)


def forgotten_classes(report: Report) -> list[int]:
    """The classes that were forgotten as a whole; empty where single images were forgotten."""
    forget = report.spec.request.forget
    return list(forget.classes) if forget.kind == "classes" else []


def is_class_request(report: Report) -> bool:
    """Whether whole classes were forgotten."""
    return bool(forgotten_classes(report))


def eval_forget_set(report: Report) -> str:
    """The set that forgetting is judged on: test images of the forgotten classes, else the forget images themselves."""
    return "forget_test" if len(report.split.forget_test) else "forget_train"


def forget_set_label(report: Report) -> str:
    """What is in that set: "test images of cat", "training images of cat" or "forget images"; or points."""
    items = f"{report.dataset.item_noun}s"
    if not is_class_request(report):
        return f"forget {items}"
    kind = "test" if eval_forget_set(report) == "forget_test" else "training"
    return f"{kind} {items} of {report.forget_set_title}"


def expected_prediction(report: Report) -> str:
    """What counts as correct on forget images: of those with wrong labels, the wrong one is predicted."""
    wrong = report.get(InterclassConfusionResult)
    return (
        "classified correctly"
        if wrong is None or wrong.num_forgotten < len(report.split.forget_train)
        else ("predicted with their wrong label")
    )


def retain_set_label(report: Report) -> str:
    """What is retained: "the other classes", "the other images" or "the other points"."""
    return "the other classes" if is_class_request(report) else f"the other {report.dataset.item_noun}s"


def retain_test_label(report: Report) -> str:
    """The images that the retain accuracy is measured on: "test images of the other classes" or "test images"."""
    items = f"test {report.dataset.item_noun}s"
    return f"{items} of {retain_set_label(report)}" if is_class_request(report) else items


def has_balanced_accuracy(report: Report) -> bool:
    """Whether classes are so unequal that balanced accuracies were measured."""
    result = report.get(AccuracyResult)
    return bool(result) and any(not isnan(one.balanced) for sets in result.scores.values() for one in sets.values())


def capitalize(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
