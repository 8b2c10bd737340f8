"""What the models look at, and what they predicted on the way: Grad-CAM maps, snapshots and decision regions.

Models are "before", "after" and "gold"; a pair of models is named "before-after". A set is a field of `Split`, and a
side is "forget" or "retain". Images are given by their positions in the data set.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from unlearn_core.domain.jobs import CamAlgorithm
from unlearn_core.domain.results.result import Array, ArrayByKey, Record, Result, Stored


class DeletionTest(Record):
    """Whether covering what a map marks changes a model's answer; see `probes/common/deletion_test.py`."""

    area: float
    """The share of the image that was covered, above 0 and at most 0.2."""
    uncovered: float
    """The probability of the explained class for the whole image, 0 to 1."""
    covered: float
    """The same where the strongest part of the map is covered."""
    predicted: int
    """The class that is predicted then."""
    random: float
    """The mean probability of the explained class where a random place of the same shape is covered instead."""
    places: int
    """The number of random places."""
    as_low: int
    """At how many of them the probability is at most `covered`."""


class Explanation(Record):
    """One model's prediction of an image, and how strongly the image supports the explained class."""

    predicted: int
    """The predicted class."""
    probability: float
    """The probability of that class, 0 to 1."""
    target_probability: float
    """The probability of the explained class, 0 to 1."""
    peak: float
    """The largest value of the map, at least 0: on the scale of the logits, comparable between models."""
    deletion: DeletionTest | None = None
    """Only queries have it; None also where the map marks nothing."""


class ExplainedImage(Record):
    """An image that was explained, and what each model made of it."""

    image: Annotated[int | None, Field(alias="picture")]
    """Its position in the data set; None if it was uploaded for a query."""
    set: str
    """The set that it is from, or "upload"."""
    label: int | None
    """Its class; None if it was uploaded."""
    target: int
    """The class that is explained."""
    models: Mapping[str, Explanation]
    compared: Sequence[int] = ()
    """The classes that FinerCAM compares the target with."""

    @property
    def is_forgotten(self) -> bool:
        return self.set.startswith("forget")


class Quartiles(NamedTuple):
    """The 25 %, 50 % and 75 % quantiles over images."""

    low: float
    median: float
    high: float


class MapSimilarity(Record):
    """How similar the maps of two models are, over some images; a measure is None where every pair has a flat map."""

    images: Annotated[int, Field(alias="pictures")]
    """The number of images."""
    flat: Annotated[int, Field(alias="blank")]
    """On how many of them either map is flat, so that nothing can be compared: these are left out."""
    cosine: Quartiles | None
    """Cosine similarity, 0 to 1."""
    rank: Quartiles | None
    """Spearman's rank correlation, -1 to 1."""
    top: Quartiles | None
    """The share of the second map's mass in the strongest fifth of the first map's cells, 0 to 1; 0.2 by chance."""


class CamResult(Result, part="cam"):
    """Grad-CAM maps of images that all models explain for the same class: those of a report, or of a query."""

    images: Annotated[Sequence[ExplainedImage], Field(alias="cards")]
    layer: str
    algorithm: CamAlgorithm = "gradcam"
    """Only queries store it."""
    similarity: Mapping[str, Mapping[str, MapSimilarity]] | None = None
    """By side and pair of models, over more images than are shown; None in queries and in reports of old releases."""
    pixels: Annotated[Array, Stored("pictures")]
    """The images, (K, H, W, 3) uint8; none (0, H, W, 3) of an uploaded one, which is stored in one place only."""
    maps: Annotated[ArrayByKey, Stored("{}")]
    """By model: raw maps (K, h, w) float32, at least 0, not rescaled one by one."""

    def only(self, place: int) -> "CamResult":
        """Return the same for one of the images, by its place in `images`; similarities do not belong to it."""
        return CamResult(
            images=[self.images[place]],
            layer=self.layer,
            algorithm=self.algorithm,
            pixels=self.pixels[place : place + 1],
            maps={model: maps[place : place + 1] for model, maps in self.maps.items()},
        )


class SnapshotsResult(Result, part="snapshots"):
    """The outputs of the model at T moments of the run on n monitored images, k of them with Grad-CAM maps."""

    set_sizes: Annotated[Mapping[str, int], Field(alias="sets")]
    """By set, in the order of `ids`: the number of monitored images; none of them are test images."""
    phases: Sequence[str]
    """The phase at each moment (T)."""
    layer: str | None
    """The layer of the maps; None if the classifier has no such layer."""
    no_maps: str
    """Why there are no maps; empty if there are."""
    seconds: float
    """The time that recording took."""
    logits: Annotated[Array, Stored("logits")]
    """(T, n, C) float16, in the precision of training."""
    maps: Annotated[Array, Stored("maps")]
    """Raw maps of the true class (T, k, h, w) float16, at least 0; (T, k, 0, 0) without maps."""
    steps: Annotated[Array, Stored("step")]
    """The optimiser steps made so far (T)."""
    ids: Annotated[Array, Stored("ids")]
    """The monitored images (n)."""
    shown: Annotated[Array, Stored("shown")]
    """Those of them with maps (k)."""
    pixels: Annotated[Array, Stored("pictures")]
    """These images, (k, H, W, 3) uint8."""
    gold_maps: Annotated[Array | None, Stored("gold_maps")] = None
    """Gold's maps of them (k, h, w) float16; None while there is no gold."""
    regions: Annotated[Array | None, Stored("regions")] = None
    """For data sets of points: the predicted class on the grid of `RegionsResult` (T, G, G) uint8, rows from low y to
    high. None for images, and in reports of former releases."""


class RegionsResult(Result, part="regions"):
    """The predicted class at each point of a grid over the plane, for data sets of points."""

    grid: int
    """Grid points per axis (G)."""
    shares: Annotated[Mapping[str, Sequence[float]], Field(alias="plane")]
    """By model and class: the share of the plane with this prediction, 0 to 1."""
    agreement: Annotated[Mapping[str, float], Field(alias="alike")]
    """By pair of models: the share of the plane where both predict the same, 0 to 1."""
    points: Annotated[Array, Stored("points")]
    """Some points to draw on top (n, 2) uint8, x and y from 0 to 255: test points where there are any."""
    labels: Annotated[Array, Stored("labels")]
    """Their classes (n) uint8."""
    forgotten: Annotated[Array, Stored("forgotten")]
    """1 for points of the forget set, else 0 (n) uint8."""
    predictions: Annotated[ArrayByKey, Stored("{}")]
    """By model: the predicted class (G, G) uint8, rows from low y to high."""
    confidences: Annotated[ArrayByKey, Stored("sure-{}")]
    """By model: the probability of that class (G, G) float32, 0 to 1."""
