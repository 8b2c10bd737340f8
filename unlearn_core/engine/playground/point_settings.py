"""The settings of methods on points: what the playground lets a visitor change, and from which values it starts.

The values were found beforehand by validation points (benchmarks/tuning/find_point_settings.py), so that a run
searches for nothing.
"""

import json
from functools import cache
from typing import Any, NamedTuple

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.method import Method, RequestKind
from unlearn_core.domain.params import BaseHyperparameters, HyperparameterInfo
from unlearn_core.installation import ASSETS

SETTINGS_FILE = ASSETS / "playground" / "settings.json"
SHOWN_OF_OTHERS = 3
"""How many hyperparameters of a method that is not among these are shown."""


class Control(NamedTuple):
    """A hyperparameter that the playground shows; between these bounds, a run takes less than a second."""

    name: str
    low: float | None = None
    high: float | None = None


CONTROLS: dict[str, tuple[Control, ...]] = {
    "bad_teacher": (Control("lr", 1e-4, 0.05), Control("epochs", 1, 20), Control("kept_share", 0.05, 1.0)),
    "boundary": (Control("way"), Control("lr", 1e-4, 0.1), Control("epochs", 1, 20)),
    "cfk": (Control("mode"), Control("lr", 1e-3, 0.5), Control("epochs", 1, 15)),
    "delete": (Control("lr", 1e-3, 0.2), Control("epochs", 1, 40), Control("momentum", 0.0, 0.99)),
    "finetune": (Control("lr", 1e-3, 0.5), Control("epochs", 1, 15), Control("weight_decay", 0.0, 0.01)),
    "fisher": (Control("alpha", 1e-8, 1e-2), Control("clear_rows")),
    "l1_sparse": (Control("penalty", 1e-5, 0.01), Control("lr", 1e-3, 0.5), Control("epochs", 1, 15)),
    "l2ul": (Control("lr", 1e-4, 0.1), Control("guard"), Control("copies", 1, 20)),
    "msg": (Control("share", 0.0, 1.0), Control("lr", 1e-3, 0.5), Control("epochs", 1, 15)),
    "neggrad": (Control("lr", 1e-4, 0.1), Control("epochs", 1, 40), Control("most", 0.0, 20.0)),
    "neggrad_plus": (Control("lr", 1e-3, 0.5), Control("kept_weight", 0.0, 1.0), Control("epochs", 1, 15)),
    "random_labels": (Control("lr", 1e-3, 0.5), Control("epochs", 1, 15), Control("labels")),
    "reinit": (Control("cycles", 1, 5), Control("share", 0.05, 1.0), Control("lr", 1e-4, 0.1)),
    "retrain": (Control("share", 0.05, 1.0),),
    "salun": (Control("share", 0.0, 1.0), Control("lr", 1e-3, 0.5), Control("epochs", 1, 15)),
    "scrub": (Control("lr", 1e-4, 0.1), Control("max_epochs", 1, 10), Control("epochs", 1, 12)),
    "sfron": (Control("clip", 0.1, 50.0), Control("lr", 1e-3, 0.2), Control("epochs", 1, 15)),
    "ssd": (Control("share", 0.0, 0.2), Control("alpha", 0.5, 500.0), Control("dampening", 0.01, 10.0)),
    "unsir": (Control("noise_pictures", 0, 128), Control("impair_lr", 1e-4, 0.05), Control("repair_lr", 1e-4, 0.05)),
}


def shown_hyperparameters(method: Method[Any]) -> list[HyperparameterInfo]:
    """Return the hyperparameters of a method that the playground shows, with its bounds."""
    known = method.params.hyperparameters()
    controls = CONTROLS.get(method.id)
    if controls is None:  # a plug-in: its first ones; the time limit of a run bounds what they may cost
        return [info for info in known.values() if not info.advanced and info.kind != "numbers"][:SHOWN_OF_OTHERS]
    return [known[name] if low is None else known[name]._replace(low=low, high=high) for name, low, high in controls]


def start_values(method: Method[Any], kind: RequestKind) -> BaseHyperparameters:
    """Return the values from which a method starts, for classes or for single points."""
    found = _settings().get(method.id, {}).get(kind)
    if found is None:
        return next(iter(method.presets.values())).params
    return method.params.parse(found)


def out_of_bounds(method: Method[Any], values: dict[str, Any]) -> list[str]:
    """Return a sentence about each value that the playground does not take."""
    wrong: list[str] = []
    known = {info.name: info for info in shown_hyperparameters(method)}
    for name, value in values.items():
        info = known.get(name)
        if info is None:
            wrong.append(f"{method.title} has no hyperparameter {name!r} on this page.")
            continue
        try:
            number = getattr(method.params.parse({name: value}), name)
        except UnlearnError as problem:
            wrong.append(str(problem))
            continue
        if info.low is not None and info.high is not None and not info.low <= number <= info.high:
            wrong.append(
                f"{info.title} ({name}) cannot be {number:g} here: it goes from {info.low:g} to {info.high:g}."
            )
    return wrong


@cache
def _settings() -> dict[str, dict[str, dict[str, Any]]]:
    return json.loads(SETTINGS_FILE.read_text())["values"]
