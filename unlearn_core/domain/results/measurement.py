"""Measurements: the declaration of a probe, which every module in `probes` defines as PROBE."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unlearn_core.domain.results.result import Result


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One measurement: `measure(context)` evaluates the models and returns a Result, or the reason why not."""

    id: str
    title: str
    question: str
    caveat: str
    measure: Callable[[Any], Result | str]
    points_only: bool = False
    """Whether it applies only to data sets of points in the plane; elsewhere it is silently left out."""
    mislabelled_only: bool = False
    """Whether it applies only where training labels are known to be wrong; elsewhere it is silently left out."""
    needs_all_images: bool = True
    """Whether it reads outputs on retained training images, so that it waits until these are evaluated.

    Otherwise it reads only those on the forget set and on retained validation and test images, which come first.
    """
    revision: int = 1
    """Raise it if a change alters results for the same models: earlier results then count as outdated."""
