"""What the features of the models, the inputs of their last layer, show: the map of features, and the representation.

Models are "before", "after" and "gold"; sets are the fields of `Split`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from unlearn_core.domain.results.predictions import Score
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


Reading = Literal["own_layer", "probe", "neighbours"]
"""What predicts classes from the features of a model: its own last layer, a linear probe, or k nearest neighbours."""


class RepresentationResult(Result, part="representation"):
    """How many of n forget images, and of some retained ones, are classified correctly from the features of each model.

    "twin", a second retrained model, is among the models if there are its weights.
    """

    num_fitted: int
    """The training images that the probe was fitted to."""
    num_neighbours: int
    """The nearest of them that vote."""
    forget_sets: Sequence[str]
    """The sets of the forget images."""
    forget: Mapping[Reading, Mapping[str, Score]]
    """On the forget images, by model."""
    retain: Mapping[Reading, Mapping[str, Score]]
    """On retained test images, by model."""
    images: Annotated[Array, Stored("images")]
    """The forget images, as places in the data set (n,) int32."""
    probe: Annotated[ArrayByKey, Stored("{}_probe")]
    """By model: 1 where the linear probe is correct on a forget image, else 0 (n,) uint8."""
