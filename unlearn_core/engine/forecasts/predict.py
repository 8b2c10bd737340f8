"""The forecast of a job, from the rates of earlier jobs and the load of other programs.

Times vary by factors, so all is computed on logarithms. The centre is the median of what the recorded jobs predict; the
spread is their median deviation, blended with an assumed one while they are few. So one slow job moves neither far. A
job that was recorded beside other programs is translated to the load of now. While fewer than three jobs are recorded,
the figures that ship with the project count as one more.
"""

import csv
from collections.abc import Callable, Sequence
from functools import cache
from math import exp, log, sqrt
from statistics import median
from typing import NamedTuple

from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.installation import ASSETS
from unlearn_core.store.queue.rates import Rate

MEASURING_COST = 0.4
"""The cost of measuring one image in float32, as a share of training on it in bfloat16."""

TWO_CORES = 0.6
"""The time on two cores as a share of that on one: the figures that ship were measured on one."""

FIXED = 1.0
"""Seconds that any job takes, however few its images are."""

ENOUGH = 3
"""From so many recorded jobs on, the figures that ship do not count."""

ALIKE = 0.5
"""Loads that differ by at most so many cores are taken for equal."""

SPREADS = {"same": 0.15, "beside others": 0.3, "other methods": 0.35, "shipped": 0.5}
"""The assumed standard deviation of the logarithm of a time, by what it is predicted from."""

MOST_SPREAD = 0.7
"""Jobs that contradict each other more than this say nothing: "1 s to 3 days" helps nobody."""

ASSUMED = 4
"""How many recorded jobs outweigh the assumed spread."""

NORMAL = 1.645
"""The 95th percentile of the standard normal distribution."""


class Work(NamedTuple):
    """What a job computes: images in training steps of a method (None: plain training), and images evaluated."""

    method: str | None
    trained: float
    evaluated: float = 0.0
    dataset: str = ""
    """The data set that a run evaluates; on the same one, the other seconds of earlier runs are used as they are."""

    def times(self, count: float) -> "Work":
        """Return the work of so many equal jobs."""
        return self._replace(trained=count * self.trained, evaluated=count * self.evaluated)


class Machine(NamedTuple):
    """The device, its cores, and how many of them other programs use; None if unknown, which counts as none."""

    device: str
    cores: int
    load: float | None

    @property
    def available(self) -> float:
        """The cores that are left for a job: those that are idle, or else its fair share."""
        load = self.load or 0.0
        return min(self.cores, max(self.cores - load, self.cores / (load + 1)))


def predict(
    work: Work, rates: Sequence[Rate], machine: Machine, relative_cost: Callable[[], float | None]
) -> Forecast | None:
    """Return how long a job takes now; `rates` are of the same classifier on the same device, the newest first.

    `relative_cost` gives the cost of an image relative to the bundled ResNet-20, for the figures that ship. It is
    called only if they are needed. If it gives None, they say nothing, and without rates the result is None.
    """
    own = [rate for rate in rates if rate.method == work.method]
    seconds = [_translate(work, rate, machine) for rate in _comparable(own or rates, machine)]
    cost = relative_cost() if len(seconds) < ENOUGH else None
    shipped = [] if cost is None else [_shipped_seconds(work, machine) * cost + FIXED]
    if not seconds:
        margin = exp(NORMAL * SPREADS["shipped"])
        return Forecast(shipped[0] / margin, shipped[0] * margin, measured=False) if shipped else None
    busy = machine.available < machine.cores - 0.5
    spread = SPREADS["other methods" if not own else "beside others" if busy else "same"]
    return _range([*seconds, *shipped], spread)


def _range(seconds: Sequence[float], assumed: float) -> Forecast:
    """The range around the median of several predictions."""
    logs = [log(max(value, 1e-3)) for value in seconds]
    centre, weight = median(logs), len(logs) - 1
    found = 1.4826 * median([abs(value - centre) for value in logs])
    spread = min(MOST_SPREAD, sqrt((ASSUMED * assumed**2 + weight * found**2) / (ASSUMED + weight)))
    # Student's t from the normal quantile, by the first term of its expansion.
    quantile = NORMAL + (NORMAL**3 + NORMAL) / (4 * (ASSUMED + weight))
    margin = quantile * spread * sqrt(1 + 1 / len(logs))
    return Forecast(exp(centre - margin), exp(centre + margin), measured=True)


def _translate(work: Work, rate: Rate, machine: Machine) -> float:
    """The seconds of a job, from the rate of another one and the loads of then and now."""
    per_image = rate.seconds_per_image * _method_cost(work.method) / _method_cost(rate.method)
    if rate.other_seconds is not None and rate.dataset == work.dataset:
        seconds = work.trained * per_image + rate.other_seconds
    else:
        seconds = (work.trained + MEASURING_COST * work.evaluated) * per_image
    return seconds if _is_alike(rate, machine) else seconds * _then(rate, machine) / machine.available


def _then(rate: Rate, machine: Machine) -> float:
    """The cores that other programs left to an earlier job."""
    return max(0.1, machine.cores - (rate.load or 0.0))


def _comparable(rates: Sequence[Rate], machine: Machine) -> Sequence[Rate]:
    """The rates that were recorded beside about as much other work as there is now, if these are enough; else all."""
    alike = [rate for rate in rates if _is_alike(rate, machine)]
    return alike if len(alike) >= ENOUGH else rates


def _is_alike(rate: Rate, machine: Machine) -> bool:
    """Whether a job had about as many cores as there are now. How crowded a full machine is, its load does not say."""
    return abs(_then(rate, machine) - machine.available) <= ALIKE


def _shipped_seconds(work: Work, machine: Machine) -> float:
    """The seconds on a typical CPU, from the figures that ship."""
    images = work.trained + MEASURING_COST * work.evaluated
    alone = images * _method_cost(work.method) * (TWO_CORES if machine.cores > 1 else 1.0)
    return alone * machine.cores / machine.available


def _method_cost(method: str | None) -> float:
    """Seconds per image on one core of a typical CPU, in the fastest of the shipped runs; None is plain training."""
    costs = _shipped_costs()
    return costs.get(method or "retrain", median(costs.values()))


@cache
def _shipped_costs() -> dict[str, float]:
    found: dict[str, float] = {}
    with (ASSETS / "results" / "runs.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["error"] and float(row["passes"] or 0):
                rate = float(row["seconds"]) / float(row["passes"])
                found[row["method"]] = min(rate, found.get(row["method"], rate))
    return found
