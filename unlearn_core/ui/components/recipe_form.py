"""The form for a training recipe: the most important hyperparameters first, the rest in an expander."""

from typing import Any

import streamlit as st

from unlearn_core.domain.recipe import GPU_RECIPES, Recipe, adapt_to_size
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.shell import formatting

_AUGMENT = {"crop and flip": "random crop and flip", "none": "none"}
_DEFAULT, _FAST = "default", "fast, for a GPU"
_OPTIMIZERS = {"sgd": "SGD, Nesterov", "adamw": "AdamW"}


def recipe_inputs(key_scope: str, architecture: str, default: Recipe, *, num_images: int) -> Recipe:
    """Show and return a recipe; the initial one is the architecture's default, or its fast one for a GPU if it has one.

    Both are adapted to few training images (`num_images`).
    """
    recipe = default
    if architecture in GPU_RECIPES:
        which = st.segmented_control(
            "Recipe",
            [_DEFAULT, _FAST],
            default=_DEFAULT,
            required=True,
            key=f"{key_scope}-recipe-{architecture}",
            help="The fast recipe trains few epochs with large batches: it is made for a GPU and 50,000 images.",
        )
        recipe = GPU_RECIPES[architecture] if which == _FAST else default
    plain, recipe = recipe, adapt_to_size(recipe, num_images)
    key = f"{key_scope}-{architecture}-{plain is default}" + ("" if recipe is plain else f"-{num_images}")
    if recipe is not plain:
        st.caption(
            f"The default recipe, {plain.epochs} epochs with a batch size of {plain.batch}, assumes more than "
            f"{formatting.pluralize(num_images, 'image')}, so batch size and epochs were adjusted."
        )
    first, second, third = st.columns(3)
    values: dict[str, Any] = {
        "epochs": first.number_input("Epochs", 1, 1_000, recipe.epochs, key=f"{key}-epochs"),
        "batch": second.number_input("Batch size", 1, 4_096, recipe.batch, key=f"{key}-batch"),
        "peak": third.number_input("Peak learning rate", 1e-5, 10.0, recipe.peak, format="%g", key=f"{key}-peak"),
    }
    with st.expander("More hyperparameters", expanded=levels.is_expert()):
        values["augment"] = _choice("Augmentation", _AUGMENT, recipe.augment, key=f"{key}-augment")
        values["optimiser"] = _choice("Optimiser", _OPTIMIZERS, recipe.optimiser, key=f"{key}-optimiser")
        left, right = st.columns(2)
        values["weight_decay"] = left.number_input(
            "Weight decay", 0.0, 1.0, recipe.weight_decay, format="%g", key=f"{key}-decay"
        )
        values["label_smoothing"] = right.number_input(
            "Label smoothing", 0.0, 0.5, recipe.label_smoothing, format="%g", key=f"{key}-smoothing"
        )
    return Recipe.model_validate(recipe.model_dump() | values)


def _choice(label: str, titles: dict[str, str], default: str, *, key: str) -> str:
    return st.segmented_control(
        label, list(titles), format_func=titles.__getitem__, default=default, required=True, key=key
    )
