"""Training recipes: how a classifier was trained, so that a retrained model can be trained in the same way."""

from math import ceil, log2
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """A training recipe under a one-cycle learning rate (Smith & Topin 2018).

    The optimiser is SGD with Nesterov momentum, or AdamW (Loshchilov & Hutter 2019), which ignores `momentum`. `peak`
    is the highest learning rate; it is reached after `warm_up` of all steps and then decays to 1/10,000 of the initial
    rate. `label_smoothing` is the share of a target that is spread over all classes (Szegedy et al. 2016).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=1, le=10_000)
    batch: int = Field(ge=1, le=100_000)
    peak: float = Field(gt=0, le=100, allow_inf_nan=False)
    warm_up: float = Field(default=0.3, gt=0, lt=1)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: Literal["none", "crop and flip"] = "crop and flip"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    optimiser: Literal["sgd", "adamw"] = "sgd"


GPU_RECIPES = {
    "resnet18": Recipe(epochs=20, batch=512, peak=0.5, warm_up=0.25, label_smoothing=0.1),
    "resnet20": Recipe(epochs=20, batch=512, peak=1.2, warm_up=0.25, label_smoothing=0.1),
}
"""Recipes for a GPU and a data set as large as CIFAR-10, by architecture: few epochs of large batches."""


MIN_STEPS, MIN_BATCH = 500, 8
"""The fewest steps for a training run from fresh weights, and the smallest batch that batch norm tolerates."""


def adapt_to_size(recipe: Recipe, num_images: int) -> Recipe:
    """The recipe adapted to the number of training images, so that it makes at least MIN_STEPS steps.

    The batch is halved until there are enough steps, down to MIN_BATCH, then epochs are added; the peak learning rate
    falls with the square root of the batch.
    """
    wanted = min(recipe.batch, recipe.epochs * num_images // MIN_STEPS)
    if wanted == recipe.batch:
        return recipe
    batch = min(recipe.batch, max(MIN_BATCH, 2 ** int(log2(max(1, wanted)))))
    epochs = max(recipe.epochs, ceil(MIN_STEPS / ceil(num_images / batch)))
    peak = float(f"{recipe.peak * (batch / recipe.batch) ** 0.5:.2g}")
    return recipe.model_copy(update={"batch": batch, "epochs": epochs, "peak": peak})


def describe_recipe(recipe: Recipe) -> str:
    """A recipe in words."""
    how = {
        "sgd": f"stochastic gradient descent (SGD with Nesterov momentum {recipe.momentum:g})",
        "adamw": "adaptive gradient descent (AdamW)",
    }[recipe.optimiser]
    augmentation = {"none": "not augmented", "crop and flip": "randomly shifted and mirrored"}[recipe.augment]
    smooth = f", label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    epochs = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    return (
        f"{epochs} of {how} in batches of {recipe.batch:,}, the learning rate rising to {recipe.peak:g} "
        f"and falling to nearly 0 (one cycle), weight decay {recipe.weight_decay:g}{smooth}, images {augmentation}"
    )
