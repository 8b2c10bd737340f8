"""What the features of the models, the inputs of their last layer, show: the map of features.

Models are "before", "after" and "gold"; sets are the fields of `Split`.
"""

from collections.abc import Mapping
from typing import Annotated

from unlearn_core.domain.results.result import Array, ArrayByKey, Number, Record, Result, Stored


class MappedFeatures(Record):
    """What is measured in the features of one model, on the images of the map."""

    silhouette_forget: Number
    """The mean silhouette of the forget images among the classes, -1 to 1; nan if all images are of one class."""
    silhouette_retain: Number
    """The same of the retained images."""
    neighbours_forget: Number
    """The share (0 to 1) of the nearest images of a forget image in the original model that are so in this one too."""
    neighbours_retain: Number
    """The same of the retained images."""
    preserved: float
    """The share (0 to 1) of the nearest images in the features of this model that are so on its map too."""


class FeatureMapResult(Result, part="feature_map"):
    """The features of n images in each model, laid out in one plane: first the forget images, then retained ones."""

    num_forget: int
    forget_set: str
    retain_set: str
    layer: str
    """The layer whose inputs are the features."""
    num_neighbours: int
    """How many of the nearest images are compared."""
    models: Mapping[str, MappedFeatures]
    images: Annotated[Array, Stored("images")]
    """Their places in the data set (n,) int32."""
    points: Annotated[ArrayByKey, Stored("{}_points")]
    """By model: where each image lies (n, 2) float32, on one scale for all models."""
