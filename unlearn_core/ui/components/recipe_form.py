"""The form in which a training recipe is chosen: what makes most of the difference first, the rest folded."""

from typing import Any

import streamlit as st

from unlearn_core.domain.recipe import GPU_RECIPES, Recipe, adapt_to_size
from unlearn_core.ui.shell import formatting

_AUGMENT = {"crop and flip": "shifted and mirrored", "none": "as they are"}
_OPTIMIZERS = {"sgd": "SGD, Nesterov", "adamw": "AdamW"}


def recipe_inputs(key_scope: str, architecture: str, default: Recipe, *, num_images: int) -> Recipe:
    """A recipe, beginning with the architecture's usual one, or with its fast one for a GPU where it has one.

    Either is changed to suit few training `pictures`.
    """
    recipe = default
    if architecture in GPU_RECIPES:
        which = st.segmented_control(
            "Recipe",
            ["the usual one", "fast, for a GPU"],
            default="the usual one",
            required=True,
            key=f"{key_scope}-recipe-{architecture}",
            help="The fast one trains few epochs of large batches: it is made for a GPU and 50,000 pictures.",
        )
        recipe = GPU_RECIPES[architecture] if which == "fast, for a GPU" else default
    plain, recipe = recipe, adapt_to_size(recipe, num_images)
    key = f"{key_scope}-{architecture}-{plain is default}" + ("" if recipe is plain else f"-{num_images}")
    if recipe is not plain:
        st.caption(
            f"Its usual {plain.epochs} epochs of {plain.batch} pictures a step are made for more than "
            f"{formatting.pluralize(num_images, 'picture')}: smaller steps, and enough of them, are set."
        )
    first, second, third = st.columns(3)
    said: dict[str, Any] = {
        "epochs": first.number_input("Epochs", 1, 1_000, recipe.epochs, key=f"{key}-epochs"),
        "batch": second.number_input("Pictures a step", 1, 4_096, recipe.batch, key=f"{key}-batch"),
        "peak": third.number_input(
            "Highest rate", 1e-5, 10.0, recipe.peak, format="%g", key=f"{key}-peak", help="The learning rate's peak."
        ),
    }
    with st.expander("More of the recipe"):
        said["augment"] = st.segmented_control(
            "Pictures are shown",
            list(_AUGMENT),
            format_func=_AUGMENT.__getitem__,
            default=recipe.augment,
            required=True,
            key=f"{key}-augment",
        )
        said["optimiser"] = st.segmented_control(
            "Optimiser",
            list(_OPTIMIZERS),
            format_func=_OPTIMIZERS.__getitem__,
            default=recipe.optimiser,
            required=True,
            key=f"{key}-optimiser",
        )
        left, right = st.columns(2)
        said["weight_decay"] = left.number_input(
            "Weight decay", 0.0, 1.0, recipe.weight_decay, format="%g", key=f"{key}-decay"
        )
        said["label_smoothing"] = right.number_input(
            "Label smoothing", 0.0, 0.5, recipe.label_smoothing, format="%g", key=f"{key}-smoothing"
        )
    return Recipe.model_validate(recipe.model_dump() | said)
