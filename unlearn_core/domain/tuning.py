"""Tuning: how the preset `auto` finds the hyperparameters of a method for what is at hand.

Each method declares one strength, a positive factor on the hyperparameters that decide how much it forgets. At strength
1 they have the values of its first preset, and small data is shown in as many optimiser steps as the data on which that
preset was tuned: a few steps hardly change a model, whatever the learning rate. A run with the preset `auto` tries some
strengths at its start (engine/tuning) and goes on with the one that fits.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from unlearn_core.domain.params import BaseHyperparameters

if TYPE_CHECKING:  # domain/method.py, which has the size of a problem, imports this file.
    from unlearn_core.domain.method import ProblemSize

P = TypeVar("P", bound=BaseHyperparameters)


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The strength of a method.

    `values(params, sizes, strength)` gives the hyperparameters named in `finds`; they may lie outside their bounds.
    `rule` says in a sentence what the strength changes.
    """

    finds: tuple[str, ...]
    values: Callable[[Any, "ProblemSize", float], Mapping[str, float | str]]
    rule: str
    shorter: Mapping[str, float] = field(default_factory=dict[str, float])
    """Hyperparameters that are smaller in a try, at most these, where the cost does not depend on the retain set."""
    repairs: bool = False
    """Whether a greater strength repairs more, because the method breaks the model before it trains it again."""
    aim: str = ""
    """The hyperparameter, if there is one, that is the accuracy on forget images at which the method stops."""
    misclassifies: bool = False
    """Whether single images should be misclassified, instead of predicted as well as unseen images."""

    def settings(self, params: P, sizes: "ProblemSize", strength: float, *, only: tuple[str, ...] | None = None) -> P:
        """Return the hyperparameters at a strength; those that are not in `only` keep their values."""
        infos = params.hyperparameters()
        found: dict[str, Any] = {}
        for name, value in self.values(params, sizes, strength).items():
            info = infos[name]
            if isinstance(value, str):
                found |= {name: value} if only is None or name in only else {}
            elif only is None or name in only:
                bounded = min(max(value, info.low or 0), info.high if info.high is not None else math.inf)
                found[name] = round(bounded) if info.kind == "int" else float(f"{bounded:.2g}")
        return params.updated(found)

    def shortened(self, params: P) -> P:
        """Return the hyperparameters of a try that is shorter than the run."""
        return params.updated({name: min(getattr(params, name), value) for name, value in self.shorter.items()})


def epochs_for(epochs: int, batch: int, *, images: int, tuned_on: int) -> int:
    """Return how many epochs over these images have as many steps as `epochs` over those the preset was tuned on.

    Never fewer than `epochs`: more images than there need no fewer passes.
    """
    steps = epochs * math.ceil(tuned_on / batch)
    return max(epochs, math.ceil(steps / math.ceil(images / batch)))
