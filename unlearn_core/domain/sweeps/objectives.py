"""Objectives of a sweep: computed from training and validation images only; the Pareto front and the best trial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from unlearn_core.domain.errors import InvalidHyperparameterError, InvalidRequestError, NotFoundError
from unlearn_core.domain.method import Method
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepSpec, Trial


@dataclass(frozen=True)
class Objective:
    """One objective. `read(metrics)` returns its value from a run's summary metrics, or None."""

    id: str
    title: str
    axis: str
    """Its axis title, unit included."""
    lower_is_better: bool
    needs_gold: bool
    is_fraction: bool
    """Whether it is a fraction that is shown as a percentage."""
    explanation: str
    read: Callable[[RunMetrics], float | None]


OBJECTIVES: dict[str, Objective] = {
    one.id: one
    for one in (
        Objective(
            "distance",
            "Distance to retrained",
            "distance to the retrained model, bits",
            True,
            True,
            False,
            "How far its predictions are from the retrained model's: the mean of forget set, training and retain set, "
            "validation. Lower is better.",
            lambda metrics: metrics.distance_to_gold("val"),
        ),
        Objective(
            "retain",
            "Retain accuracy",
            "retain accuracy",
            False,
            False,
            True,
            "Accuracy on the retain set, validation. Higher is better.",
            lambda metrics: metrics.first_accuracy("after", "retain_val"),
        ),
        Objective(
            "forget",
            "Forget accuracy",
            "forget accuracy",
            True,
            False,
            True,
            "Accuracy on the forget set, validation, or on the forget set, training, for requests to forget single "
            "images. Lower is better, but the retrained model need not be at zero.",
            lambda metrics: metrics.first_accuracy("after", "forget_val", "forget_train"),
        ),
        Objective(
            "privacy",
            "Privacy score",
            "privacy score",
            False,
            True,
            False,
            "1 if simple attacks, evaluated on validation images, reveal no more about it than about the retrained "
            "model. Higher is better.",
            lambda metrics: metrics.privacy_val,
        ),
        Objective(
            "seconds",
            "Seconds",
            "seconds to unlearn",
            True,
            False,
            False,
            "Unlearning time, without measurements. Lower is better.",
            lambda metrics: metrics.seconds and metrics.seconds.forget,
        ),
    )
}


def objective_value(name: str, metrics: RunMetrics) -> float | None:
    """An objective's value; None if it was not measured or is not finite."""
    found = OBJECTIVES[name].read(metrics)
    return found if found is not None and isfinite(found) else None


def objective_values(spec: SweepSpec, trial: Trial) -> tuple[float, ...] | None:
    """A trial's values in the order of the objectives; None if it is not done or a value is missing."""
    if trial.state is not RunState.DONE:
        return None
    found = [objective_value(name, trial.metrics) for name in spec.objectives]
    return None if any(one is None for one in found) else tuple(one for one in found if one is not None)


def pareto_front(spec: SweepSpec, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that no other trial beats in every objective; with one objective the best trial, ties included."""
    scored = [(losses, trial) for trial in trials if (losses := _losses(spec, trial)) is not None]
    leading, least, last = set[int](), float("inf"), ()
    # Sorted by the first loss, a trial is on the front if its last loss is below that of all trials before it; trials
    # equal to one on the front are on it too.
    for losses, trial in sorted(scored, key=lambda one: one[0]):
        if losses[-1] < least:
            least, last = losses[-1], losses
            leading.add(trial.number)
        elif losses == last:
            leading.add(trial.number)
    return [trial for _, trial in scored if trial.number in leading]


def preferred_trial(spec: SweepSpec, trials: Sequence[Trial]) -> Trial | None:
    """The recommended trial; None while no trial is done.

    With two objectives it is the trial on the front that is closest to the best value of both, each scaled by its
    range over the front; ties go to the earliest.
    """
    leading = pareto_front(spec, trials)
    if not leading:
        return None
    points = [own for trial in leading if (own := _losses(spec, trial)) is not None]
    least = [min(column) for column in zip(*points, strict=True)]
    span = [max(column) - low or 1.0 for column, low in zip(zip(*points, strict=True), least, strict=True)]
    far = [sum(((own - low) / wide) ** 2 for own, low, wide in zip(one, least, span, strict=True)) for one in points]
    return leading[far.index(min(far))]


def validate_sweep(spec: SweepSpec, method: Method[Any], *, gold: bool) -> None:
    """Raise InvalidHyperparameterError, NotFoundError or InvalidRequestError if a sweep is not possible."""
    hyperparameters = method.params.hyperparameters()
    method.params.parse(spec.params)
    for one in spec.ranges:
        if one.knob not in hyperparameters:
            raise NotFoundError("hyperparameter", one.knob, list(hyperparameters))
        info = hyperparameters[one.knob]
        if info.kind == "numbers":
            raise InvalidHyperparameterError(
                f"{info.title} ({info.name}) is a list of numbers and has no range: sweep another hyperparameter."
            )
        if one.is_choice != (info.kind in ("choice", "bool")):
            raise InvalidHyperparameterError(
                f"{info.title} ({info.name}) takes {'values' if info.low is None else 'a range of numbers'}."
            )
        for end in _ends(one):
            method.params.parse(spec.params | {one.knob: end})
    lacking = [OBJECTIVES[name].title for name in spec.objectives if OBJECTIVES[name].needs_gold and not gold]
    if lacking:
        raise InvalidRequestError(
            f"{lacking[0]} cannot be an objective: there is no retrained model for this request. Train one first "
            "(from a report, or with `gold` on the command line), or choose the accuracies as objectives."
        )


def _ends(one: SearchRange) -> list[Any]:
    ends: list[Any] = [*one.values] if one.is_choice else [one.low, one.last_value]
    return [round(end) if one.whole else end for end in ends]


def _losses(spec: SweepSpec, trial: Trial) -> tuple[float, ...] | None:
    """The values, each with the sign for which lower is better."""
    found = objective_values(spec, trial)
    if found is None:
        return None
    return tuple(
        one if OBJECTIVES[name].lower_is_better else -one for name, one in zip(spec.objectives, found, strict=True)
    )
