"""Measurements: the declaration of a probe, and the report part that it produces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class ReportPart(NamedTuple):
    """The result of one measurement: `facts` are plain JSON values, `arrays` hold larger data."""

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One measurement: `measure(scene)` evaluates the models and returns a ReportPart, or the reason why not."""

    id: str
    title: str
    question: str
    caveat: str
    measure: Callable[[Any], ReportPart | str]
    points_only: bool = False
    """Whether it applies only to data sets of points in the plane; elsewhere it is silently left out."""
    revision: int = 1
    """Raise it if a change alters results for the same models: earlier results then count as outdated."""
