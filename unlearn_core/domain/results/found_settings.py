"""The hyperparameters that a run with the preset `auto` found at its start, and everything that it tried."""

from collections.abc import Mapping, Sequence
from typing import Any

from unlearn_core.domain.results.course import ImageCounts
from unlearn_core.domain.results.result import Number, Record, Result


class Goal(Record):
    """What is looked for: accuracies, 0 to 1, on the images that are evaluated."""

    forget_low: float
    forget_high: float
    retain_low: float

    def shortfall(self, forget: float, retain: float) -> float:
        """Return the largest of the distances to these bounds; 0 if all are met.

        On the retain side it counts threefold: a model that forgot nothing is of more use than one that is destroyed.
        """
        return max(0.0, forget - self.forget_high, self.forget_low - forget, 3 * (self.retain_low - retain))


class TriedSettings(Record):
    """One strength that was tried: its hyperparameters, and the accuracies (0 to 1) after it, nan if it failed."""

    strength: float
    params: Mapping[str, Any]
    forget: Number
    retain: Number
    failed: str = ""
    """Why there is no result, such as a loss that is no number."""


class TuningResult(Result, part="tuning"):
    """The settings that were tried, in their order; no test image had a part in it."""

    goal: Goal
    images: ImageCounts
    """The images evaluated: of the forget set, and retained validation images (training images if there are none)."""
    share: float
    """The share of the run's steps on the retain set that each try had (0 to 1); with 1, it is a whole run."""
    compensation: float = 1.0
    """How many times as strong as the run with these settings each try was, because it had fewer steps."""
    tried: Sequence[TriedSettings]
    chosen: int | None
    """The place of the chosen settings in `tried`; None if no try gave a result, so that the rule decided."""
    params: Mapping[str, Any]
    """The values of the hyperparameters that were to be found, as this run used them."""
    titles: Mapping[str, str]
    """Their titles, by name."""
    reason: str = ""
    """Why nothing was tried, as a sentence."""

    @property
    def works(self) -> bool:
        """Whether the chosen settings reached the goal."""
        if self.chosen is None:
            return False
        chosen = self.tried[self.chosen]
        return not chosen.failed and self.goal.shortfall(chosen.forget, chosen.retain) == 0
