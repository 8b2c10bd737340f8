"""What is tried of one knob: a range of numbers, or some values."""

from itertools import pairwise
from math import floor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unlearn_core.domain.params import HyperparameterInfo

MAX_POINTS = 24
"""Points of one knob in a grid."""
LOG_SPAN = 10.0
"""A rate is tried from a tenth of what it stands at to ten times that, unless somebody says otherwise."""
LINEAR_SPAN = 4.0
"""Any other number is tried up to so many times what it stands at."""


class SearchRange(BaseModel):
    """What is tried of one knob: `values` of a choice, or numbers from `low` to `high`.

    `log` spreads them evenly over decades, `whole` keeps them integers, `step` on a raster from `low` on; `points` is
    how many of them a grid takes.
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
            raise ValueError(f"{self.knob}: name at least two different values to try")
        if not self.values and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError(f"{self.knob}: the range must go from a smaller to a larger number")
        if self.log and self.low is not None and self.low <= 0:
            raise ValueError(f"{self.knob}: on a log scale the range begins above 0")
        return self

    @property
    def is_choice(self) -> bool:
        """Whether its values have no order."""
        return bool(self.values)

    @property
    def last_value(self) -> float:
        """The largest number that is tried: the last one of the raster, where there is one."""
        assert self.low is not None and self.high is not None
        if self.step is None or self.log:
            return self.high
        return round(self.low + floor((self.high - self.low) / self.step + 1e-9) * self.step, 10)

    def grid_values(self) -> list[Any]:
        """The values that a grid tries, in order; fewer than `points` where the range holds no more."""
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
        else:  # Three figures are as much as anybody can read; the ends stay what they are.
            found = [self.low, *(float(f"{value:.3g}") for value in found[1:-1]), self.last_value]
        if self.whole:
            found = [round(value) for value in found]
        return found[:1] + [later for one, later in pairwise(found) if later != one]


def suggested_range(info: HyperparameterInfo, value: Any, *, points: int = 5) -> SearchRange | None:
    """What one would try of a knob that stands at `value`; None for a kind that has no range.

    A rate goes a decade either way, any other number from its least to a few times where it stands, all within the
    declared bounds.
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
