"""How the charts put numbers and names into words."""

import re
from collections.abc import Sequence

from unlearn_core.domain.report import Report

SET_LABELS = {
    "forget_train": ("forgotten", "trained on"),
    "forget_test": ("forgotten", "unseen"),
    "retain_train": ("kept", "trained on"),
    "retain_test": ("kept", "unseen"),
}
"""The sets drawn, from top to bottom; those of validation are in the table only."""


_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float, digits: int = 1) -> str:
    """A share (0 to 1) as "86.2 %", which no line break tears apart."""
    return f"{100 * share:.{digits}f}{_SPACE}%"


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign, and never minus nought."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def describe_change(before: float, after: float) -> str:
    """What became of a share: "lost 0.5 points", "gained 1.0 points" or "stayed the same"."""
    points = 100 * (after - before)
    if abs(points) < 0.05:
        return "stayed the same"
    return f"{'lost' if points < 0 else 'gained'} {abs(points):.1f}{_SPACE}points"


def seconds(value: float) -> str:
    """A time: "0.42 s", "14.2 s" or "3 min 5 s"."""
    if value >= 120:
        return f"{int(value // 60)}{_SPACE}min {int(value % 60)}{_SPACE}s"
    return f"{value:.2f}{_SPACE}s" if value < 1 else f"{value:.1f}{_SPACE}s"


def join_names(names: Sequence[str], limit: int = 4) -> str:
    """ "a", "a and b", "a, b and c"; beyond `most` the rest is counted."""
    shown = list(names) if len(names) <= limit else [*names[: limit - 1], f"{len(names) - limit + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def short_layers(layers: Sequence[str]) -> list[str]:
    """Names such as "stage1.0" without their first word, unless two would then be the same."""
    short = [re.sub(r"^[a-z_]+(?=\d)", "", layer) for layer in layers]
    return short if len(set(short)) == len(short) else list(layers)


def forgotten_classes(report: Report) -> list[int]:
    """The classes that were forgotten as a whole; none where single pictures were."""
    wish = report.spec.request.forget
    return list(wish.classes) if wish.kind == "classes" else []


def is_class_request(report: Report) -> bool:
    """Whether whole classes were forgotten."""
    return bool(forgotten_classes(report))


def eval_forget_set(report: Report) -> str:
    """The set that tells whether it forgot: unseen pictures where there are any, else the forgotten ones."""
    return "forget_test" if len(report.split.forget_test) else "forget_train"


def forget_set_label(report: Report) -> str:
    """What is in that set: "unseen pictures of cat" or "forgotten pictures"."""
    if not is_class_request(report):
        return "forgotten pictures"
    kind = "unseen pictures" if eval_forget_set(report) == "forget_test" else "training pictures"
    return f"{kind} of {report.forget_set_title}"


def retain_set_label(report: Report) -> str:
    """What is kept: "the other classes" or "the other pictures"."""
    return "the other classes" if is_class_request(report) else "the other pictures"


def capitalize(text: str) -> str:
    """The same with a capital first letter."""
    return text[:1].upper() + text[1:]
