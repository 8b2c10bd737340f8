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

from unlearn_core.domain.params import BaseHyperparameters, parse_int_list

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
    batch: str = ""
    """The hyperparameter, if there is one, that is the number of retained images in a step: of small data, fewer."""
    forgets_in: str = ""
    """The hyperparameter, if forgetting grows with the product of strength and steps, that is the number of epochs with
    such steps: a try with fewer of them is to be stronger."""
    misclassifies: bool = False
    """Whether single images should be misclassified, instead of predicted as well as unseen images."""

    def settings(self, params: P, sizes: "ProblemSize", strength: float, *, only: tuple[str, ...] | None = None) -> P:
        """Return the hyperparameters at a strength; those that are not in `only` keep their values."""
        infos = params.hyperparameters()
        values = dict(self.values(params, sizes, strength))
        if self.batch:
            values[self.batch] = batch_for(getattr(params, self.batch), images=sizes.retain)
        found: dict[str, Any] = {}
        for name, value in values.items():
            info = infos[name]
            if isinstance(value, str):
                found |= {name: value} if only is None or name in only else {}
            elif only is None or name in only:
                bounded = min(max(value, info.low or 0), info.high if info.high is not None else math.inf)
                found[name] = round(bounded) if info.kind == "int" else float(f"{bounded:.2g}")
        return params.updated(found)

    @property
    def repairs_later(self) -> bool:
        """Whether a try that is shorter than the run leaves damage that the run repairs: it trains in epochs."""
        return any(name.endswith("epochs") for name in self.finds)

    def compensation(self, params: BaseHyperparameters, share: float) -> float:
        """Return how many times as strong a try with this share of the run's steps is, to forget as much as the run."""
        if not self.forgets_in:
            return 1.0
        shorter, images = self.shortened(params, share)
        epochs = min(getattr(shorter, self.forgets_in), getattr(shorter, "epochs", math.inf))
        return getattr(params, self.forgets_in) / (epochs * images)

    def shortened(self, params: P, share: float) -> tuple[P, float]:
        """Return the hyperparameters of a try with this share of the run's steps, and its share of the images.

        It has fewer epochs, and fewer images only where one epoch would still be too long: from a few of its images, a
        model learns these by heart.
        """
        known = {name: getattr(params, name) for name in self.finds if name.endswith("epochs")}
        lists = {name: parse_int_list(str(value)) for name, value in known.items()}
        longest = max((value for values in lists.values() for value in values), default=1)
        epochs = max(1, round(longest * share))
        fewer: dict[str, Any] = {name: min(getattr(params, name), value) for name, value in self.shorter.items()}
        for name, values in lists.items():
            cut = [max(1, round(value * epochs / longest)) for value in values]
            fewer[name] = cut[0] if isinstance(known[name], int) else ",".join(map(str, cut))
        return params.updated(fewer), min(1.0, share * longest / epochs)


STEPS_PER_EPOCH, LEAST_BATCH = 16, 16
"""How many steps an epoch has at least, where its batches can be halved, and the size of the smallest batch."""


def batch_for(batch: int, *, images: int) -> int:
    """Return the batch with which an epoch over so few images has enough steps; at most `batch`."""
    while batch // 2 >= LEAST_BATCH and images / batch < STEPS_PER_EPOCH:
        batch //= 2
    return batch


USUAL_CLASSES = 10
"""The classes of the data on which the presets were tuned: more of them need as many steps each."""


def epochs_for(epochs: int, batch: int, *, images: int, tuned_on: int, classes: int) -> int:
    """Return how many epochs over these images have as many steps as `epochs` over those the preset was tuned on.

    With more than the usual number of classes, as many steps per class: what is forgotten and repaired is shown less
    often there. Never fewer than `epochs`: more images need no fewer passes.
    """
    steps = epochs * math.ceil(tuned_on / batch) * max(1.0, classes / USUAL_CLASSES)
    return max(epochs, math.ceil(steps / math.ceil(images / batch)))
