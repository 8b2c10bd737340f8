"""Forecast, a range of seconds, and how people would say it."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400

LONG = HOUR
"""A job that may take longer asks before it starts."""

UNITS = ((1, "s", 1.5 * MINUTE), (MINUTE, "minute", 1.5 * HOUR), (HOUR, "hour", 2 * DAY), (DAY, "day", float("inf")))
"""The units in seconds, and up to how many seconds each is used."""


class Forecast(NamedTuple):
    """The range in seconds that should hold nine of ten true times, and whether it was measured on this machine."""

    low: float
    high: float
    measured: bool

    def times(self, count: float) -> "Forecast":
        """Return the forecast of so many equal jobs, one after another."""
        return self._replace(low=count * self.low, high=count * self.high)

    def plus(self, other: "Forecast") -> "Forecast":
        """Return the forecast of both jobs, one after the other."""
        return Forecast(self.low + other.low, self.high + other.high, self.measured and other.measured)

    @property
    def is_long(self) -> bool:
        """Whether it may take hours, so that it asks before it starts."""
        return self.high >= LONG

    def __str__(self) -> str:
        return format_range(self.low, self.high)


def total(forecasts: Sequence[Forecast | None]) -> Forecast | None:
    """Return the forecast of several jobs, one after another; None if one of them is unknown."""
    known = [one for one in forecasts if one is not None]
    return reduce(Forecast.plus, known) if len(known) == len(forecasts) else None


def format_range(low: float, high: float) -> str:
    """Return a range of seconds in words: "15 to 25 s", "50 s to 2 minutes", "about 3 minutes", "2 to 4 days"."""
    (first, unit), (last, last_unit) = _rounded(low, up=False), _rounded(high, up=True)
    if (first, unit) == (last, last_unit):
        return f"about {first:g} {_plural(unit, first)}"
    start = f"{first:g}" if unit == last_unit else f"{first:g} {_plural(unit, first)}"
    return f"{start} to {last:g} {_plural(last_unit, last)}"


def _rounded(seconds: float, *, up: bool) -> tuple[float, str]:
    """A time that a person would say, rounded down or up, and its unit."""
    size, unit = next((size, unit) for size, unit, until in UNITS if seconds < until)
    value = seconds / size
    fine = 1.0 if unit == "s" else 0.5
    step = next(step for step, most in ((fine, 3), (1, 10), (5, 100), (50, float("inf"))) if value <= most)
    steps = int(value / step)
    return max(fine, step * (steps + (up and value > step * steps))), unit


def _plural(unit: str, number: float) -> str:
    return unit if unit == "s" or number == 1 else f"{unit}s"
