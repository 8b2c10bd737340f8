"""What a sweep may aim at: figures of training and validation pictures only, and which of two trials is better."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from unlearn_core.domain.errors import InvalidHyperparameterError, InvalidRequestError, NotFoundError
from unlearn_core.domain.method import Method
from unlearn_core.domain.run import RunState
from unlearn_core.domain.search_space import SearchRange
from unlearn_core.domain.sweep import SweepSpec, Trial


class Objective(NamedTuple):
    """One aim. `read(headline)` gives its figure or None; `lower` says that less of it is better."""

    id: str
    title: str
    axis: str
    """What an axis of it is called, unit included."""
    lower_is_better: bool
    needs_gold: bool
    is_fraction: bool
    """Whether it is a fraction that is shown in per cent."""
    explanation: str
    read: Callable[[Mapping[str, Any]], float | None]


def _accuracy(headline: Mapping[str, Any], *keys: str) -> float | None:
    known = (headline.get("accuracy") or {}).get("after") or {}
    return next((known[name] for name in keys if known.get(name) is not None), None)


def _distance(headline: Mapping[str, Any]) -> float | None:
    return ((headline.get("distance") or {}).get("val") or {}).get("after")


OBJECTIVES: dict[str, Objective] = {
    one.id: one
    for one in (
        Objective(
            "distance",
            "Distance to gold",
            "distance to gold, bits",
            True,
            True,
            False,
            "How far its answers are from gold's: the mean of forgotten training and kept validation pictures.",
            _distance,
        ),
        Objective(
            "retain",
            "Retain accuracy",
            "kept ones right",
            False,
            False,
            True,
            "How often it is right on kept validation pictures: the more the better.",
            lambda headline: _accuracy(headline, "retain_val"),
        ),
        Objective(
            "forget",
            "Forget accuracy",
            "forgotten ones still named",
            True,
            False,
            True,
            "How often it still names what it should forget, on validation pictures, or on the forgotten pictures "
            "themselves where there are no others: the less the better. Gold need not be at zero.",
            lambda headline: _accuracy(headline, "forget_val", "forget_train"),
        ),
        Objective(
            "privacy",
            "Privacy score",
            "privacy score",
            False,
            True,
            False,
            "1 where simple attacks, tried against validation pictures, tell no more about it than about gold.",
            lambda headline: headline.get("privacy_val"),
        ),
        Objective(
            "seconds",
            "Seconds",
            "seconds to forget",
            True,
            False,
            False,
            "How long the forgetting itself takes, measuring not counted.",
            lambda headline: (headline.get("seconds") or {}).get("forget"),
        ),
    )
}


def objective_value(name: str, headline: Mapping[str, Any]) -> float | None:
    """An objective's figure; None where it was not measured or is no number."""
    found = OBJECTIVES[name].read(headline)
    return float(found) if found is not None and isfinite(found) else None


def objective_values(spec: SweepSpec, trial: Trial) -> tuple[float, ...] | None:
    """A trial's figures in the order of the objectives; None where it is not done or one of them is missing."""
    if trial.state is not RunState.DONE:
        return None
    found = [objective_value(name, trial.headline) for name in spec.objectives]
    return None if any(one is None for one in found) else tuple(one for one in found if one is not None)


def pareto_front(spec: SweepSpec, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that no other beats in every objective; with one objective the best one, ties included."""
    told = [(losses, trial) for trial in trials if (losses := _losses(spec, trial)) is not None]
    leading, least, last = set[int](), float("inf"), ()
    # In the order of the first figure, a trial leads where its last one is below that of all that are better in the
    # first; equals of a leading trial lead too.
    for losses, trial in sorted(told, key=lambda one: one[0]):
        if losses[-1] < least:
            least, last = losses[-1], losses
            leading.add(trial.number)
        elif losses == last:
            leading.add(trial.number)
    return [trial for _, trial in told if trial.number in leading]


def preferred_trial(spec: SweepSpec, trials: Sequence[Trial]) -> Trial | None:
    """The trial that a person would take; None while none is done.

    With two objectives it is the one of the front that is nearest to having the best of both, each counted as a share
    of its span over the front; of equals the earliest.
    """
    leading = pareto_front(spec, trials)
    if not leading:
        return None
    points = [own for trial in leading if (own := _losses(spec, trial)) is not None]
    least = [min(column) for column in zip(*points, strict=True)]
    span = [max(column) - low or 1.0 for column, low in zip(zip(*points, strict=True), least, strict=True)]
    far = [sum(((own - low) / wide) ** 2 for own, low, wide in zip(one, least, span, strict=True)) for one in points]
    return leading[far.index(min(far))]


def validate_sweep(spec: SweepSpec, method: Method, *, gold: bool) -> None:
    """Raises BadKnob, UnknownName or BadRequest, with a sentence, where a sweep cannot be done."""
    knobs = method.params.hyperparameters()
    method.params.parse(spec.params)
    for one in spec.ranges:
        if one.knob not in knobs:
            raise NotFoundError("knob", one.knob, list(knobs))
        knob = knobs[one.knob]
        if knob.kind == "numbers":
            raise InvalidHyperparameterError(
                f"{knob.title} ({knob.name}) is a list of numbers, which has no range: sweep another knob."
            )
        if one.is_choice != (knob.kind in ("choice", "bool")):
            raise InvalidHyperparameterError(
                f"{knob.title} ({knob.name}) takes {'values' if knob.low is None else 'a range of numbers'}."
            )
        for end in _ends(one):
            method.params.parse(spec.params | {one.knob: end})
    lacking = [OBJECTIVES[name].title for name in spec.objectives if OBJECTIVES[name].needs_gold and not gold]
    if lacking:
        raise InvalidRequestError(
            f"{lacking[0]} cannot be aimed at: there is no gold for this request to measure it by. Have gold trained "
            "first (a report offers it, and so does `gold` on the command line), or aim at the accuracies."
        )


def _ends(one: SearchRange) -> list[Any]:
    ends: list[Any] = [*one.values] if one.is_choice else [one.low, one.last_value]
    return [round(end) if one.whole else end for end in ends]


def _losses(spec: SweepSpec, trial: Trial) -> tuple[float, ...] | None:
    """The figures, each turned so that less is better."""
    found = objective_values(spec, trial)
    if found is None:
        return None
    return tuple(
        one if OBJECTIVES[name].lower_is_better else -one for name, one in zip(spec.objectives, found, strict=True)
    )
