"""How a classifier was trained, so that gold can be trained in the same way."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """A training recipe: SGD with Nesterov momentum under a one-cycle learning rate (Smith & Topin 2018).

    `peak` is the highest learning rate; it is reached after `warm_up` of all steps and falls to 1/10,000 of its start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    peak: float = Field(gt=0)
    warm_up: float = Field(default=0.3, gt=0, lt=1)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: Literal["none", "crop and flip"] = "crop and flip"
