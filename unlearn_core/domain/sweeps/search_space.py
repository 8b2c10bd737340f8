"""Search ranges of a sweep: the values of one hyperparameter to try, as a range of numbers or as choices."""

from itertools import pairwise
from math import floor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unlearn_core.domain.params import HyperparameterInfo

MAX_POINTS = 24
"""Maximum number of grid points for one hyperparameter."""
LOG_SPAN = 10.0
"""By default, a log-scale value is searched from a tenth to ten times its current value."""
LINEAR_SPAN = 4.0
"""By default, any other number is searched up to this many times its current value."""


class SearchRange(BaseModel):
    """The search range of one hyperparameter (`knob`): `values` of a choice, or numbers from `low` to `high`.

    `log` means a log scale, `whole` integers, `step` multiples of a step from `low` on; `points` is the number of grid
    points.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    knob: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    step: float | None = Field(default=None, gt=0)
    points: int = Field(default=5, ge=2, le=MAX_POINTS)
    values: tuple[bool | str, ...] = ()

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "SearchRange":
        if len(self.values) == 1 or len(set(self.values)) != len(self.values):
            raise ValueError(f"{self.knob}: choose at least two different values")
        if not self.values and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError(f"{self.knob}: the lower end of the range must be below the upper end")
        if self.log and self.low is not None and self.low <= 0:
            raise ValueError(f"{self.knob}: on a log scale the range must start above 0")
        return self

    @property
    def is_choice(self) -> bool:
        """Whether its values are choices, which have no order."""
        return bool(self.values)

    @property
    def last_value(self) -> float:
        """The largest number in the range: with a step, the last multiple."""
        assert self.low is not None and self.high is not None
        if self.step is None or self.log:
            return self.high
        return round(self.low + floor((self.high - self.low) / self.step + 1e-9) * self.step, 10)

    def grid_values(self) -> list[Any]:
        """The grid's values, in order; fewer than `points` if the range contains no more."""
        if self.values:
            return list(self.values)
        assert self.low is not None
        shares = [place / (self.points - 1) for place in range(self.points)]
        if self.log:
            found = [self.low * (self.last_value / self.low) ** share for share in shares]
        else:
            found = [self.low + (self.last_value - self.low) * share for share in shares]
        if self.step is not None and not self.log:
            found = [round(self.low + round((value - self.low) / self.step) * self.step, 10) for value in found]
        else:  # Three significant digits are readable; the ends stay exact.
            found = [self.low, *(float(f"{value:.3g}") for value in found[1:-1]), self.last_value]
        if self.whole:
            found = [round(value) for value in found]
        return found[:1] + [later for one, later in pairwise(found) if later != one]


def suggested_range(info: HyperparameterInfo, value: Any, *, points: int = 5) -> SearchRange | None:
    """The default search range around the current `value`; None for a kind that has no range.

    A log-scale value is searched one decade each way, any other number from its minimum to a few times its value, all
    within the declared bounds.
    """
    if info.kind == "numbers":
        return None
    if info.kind in ("choice", "bool"):
        return SearchRange(knob=info.name, values=info.choices or (False, True))
    least, most, value = float(info.low or 0), float(info.high or 0), float(value)
    log, whole = info.scale == "log", info.kind == "int"
    if log:
        low, high = (float(f"{end:.3g}") for end in (max(least, value / LOG_SPAN), min(most, value * LOG_SPAN)))
    else:
        low, high = least, min(most, LINEAR_SPAN * value) if value > least else most
    if whole:
        low, high = float(max(round(low), 1 if log else round(low))), float(max(round(high), round(low) + 1))
    step = info.step if info.step and not log else 1.0 if whole and not log else None
    return SearchRange(knob=info.name, low=low, high=high, log=log, whole=whole, step=step, points=points)
