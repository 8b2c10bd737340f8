"""What a measurement is, and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class ReportPart(NamedTuple):
    """One measurement: `facts` are plain JSON values, `arrays` what is too big for that."""

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One measurement: `measure(scene)` looks at the models and gives its part, or says in words why there is none."""

    id: str
    title: str
    question: str
    caveat: str
    measure: Callable[[Any], ReportPart | str]
    points_only: bool = False
    """Whether it is about data sets of points in the plane alone, and nobody misses it elsewhere."""
    revision: int = 1
    """Raise it when a change gives other figures for the same models: what was measured before is then outdated."""
