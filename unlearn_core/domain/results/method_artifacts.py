"""Artifacts: what a method saved while it ran, each an array with facts about it. All lie in the part "extras"."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from unlearn_core.domain.results.result import Array, Record, ReportPart, Result, Stored


class Artifact(Result, part="extras"):
    """What a method saved. Subclasses have one array, and name what is stored:

    class SaliencyMask(Artifact, name="saliency"):
        shares: Array

    A subclass that others derive from has no name.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, *, name: str = "", **options: Any) -> None:
        super().__init_subclass__(part="extras", **options)
        cls.name = name

    @classmethod
    def _array_fields(cls) -> dict[str, Stored]:
        return {name: Stored(cls.name) for name, field in cls.model_fields.items() if field.annotation is np.ndarray}

    @classmethod
    def is_in(cls, parts: Mapping[str, ReportPart]) -> bool:
        return cls.part in parts and cls.name in parts[cls.part].arrays

    def add_to(self, parts: Mapping[str, ReportPart]) -> dict[str, ReportPart]:
        own, others = self.to_part(), parts.get(self.part, ReportPart({}, {}))
        return {**parts, self.part: ReportPart(others.facts | own.facts, others.arrays | own.arrays)}

    def to_part(self) -> ReportPart:
        facts, arrays = super().to_part()
        return ReportPart({self.name: facts}, arrays)

    @classmethod
    def from_part(cls, part: ReportPart) -> Self:
        return super().from_part(ReportPart(part.facts.get(cls.name, {}), part.arrays))


class SelectedWeights(Artifact):
    """The weights that a method selected, by layer from input to output."""

    layers: Sequence[str]
    weights: Sequence[int]
    """The number of weights of each layer."""
    share: float
    """The share of all weights that was selected (0 to 1)."""
    shares: Array
    """The share of each layer's weights that was selected (layers,) float32."""


class SaliencyMask(SelectedWeights, name="saliency"):
    """The weights that SalUn may change."""


class ForgetStepMask(SelectedWeights, name="forget_steps"):
    """The weights that get the gradient of the forget steps of SFRon; its repair steps change all weights."""


class DampenedWeights(SelectedWeights, name="dampened"):
    """The weights that SSD dampened."""


class WeightImportance(Artifact, name="importance"):
    """How much the weights of each layer matter for the forget set, from input to output."""

    layers: Sequence[str]
    images: Annotated[int, Field(alias="pictures")]
    """The number of forget images that it was measured on."""
    means: Array
    """The mean importance of each layer's weights (layers,) float32, 0 to 1."""


class StopRule(Artifact, name="stopped"):
    """A run that stops when the forget images have reached a goal."""

    goal: str
    """"misclassify", or "relabel" for predictions of the new labels."""
    done: bool
    """Whether the goal was reached."""
    max_steps: Annotated[int, Field(alias="most")]
    remaining: Array
    """The share of forget images not yet at the goal (steps + 1,) float32: before the first step, and after each."""


class AdversarialPredictions(Artifact, name="adversarial_answers"):
    """What both models predict for adversarial copies of forget images."""

    mean_distance: Annotated[float, Field(alias="length")]
    """The mean L2 distance to the original images; pixels are from 0 to 1."""
    radius: float
    """The largest distance that the attack allows."""
    classes: Array
    """Label, target, and predictions of the original and the unlearned model (images, 4) int16."""


class AdversarialImages(Artifact, name="adversarial_pictures"):
    """Some of the adversarial images."""

    rows: Sequence[int]
    """Their rows in `AdversarialPredictions`."""
    pixels: Array
    """(images, H, W, 3) uint8."""


class AdversarialOriginals(Artifact, name="adversarial_originals"):
    """The forget images that `AdversarialImages` were made from, in the same order."""

    pixels: Array
    """(images, H, W, 3) uint8."""


class ReinitializedLayers(Artifact, name="drawn_layers"):
    """What was re-initialised at random in each cycle."""

    layers: Sequence[str]
    """The layers that could be re-initialised."""
    granularity: Annotated[str, Field(alias="of")]
    """"layers", or "weights" for single weights of every layer."""
    choice: str
    """How layers were chosen: "random" or "fisher"."""
    counts: Array
    """(cycles, layers): how often each layer was re-initialised, or the share (0 to 1) of its weights that was."""


class NoiseImages(Artifact, name="noise_pictures"):
    """Some of the images of error-maximising noise, those of one class after the other."""

    classes: Sequence[int]
    images_per_class: Annotated[int, Field(alias="each")]
    pixels: Array
    """(images, H, W, 3) uint8, clipped to the display range."""


class NoiseError(Record):
    """The cross-entropy on noise with its class as the label, in nats, before and after the noise is learned."""

    before: float
    after: float


class NoiseErrors(Artifact, name="noise_loss"):
    """The error of the original model on the noise while it is learned."""

    classes: Sequence[int]
    ends: Annotated[Mapping[str, NoiseError], Field(alias="error")]
    """By class number."""
    errors: Array
    """Cross-entropy (steps + 1, classes) float32, in nats: at each step and after the last one."""


class NearestClasses(Artifact, name="nearest"):
    """The classes across the nearest decision boundary, which become the labels of the forget images."""

    success_rate: Annotated[float, Field(alias="succeeded")]
    """The share of images for which the attack changed the prediction (0 to 1)."""
    counts: Array
    """The number of forget images with each class as their new label (classes,) int64."""


class RewindErrors(Artifact, name="rewind"):
    """The errors by which rewinding chose a checkpoint."""

    reference: float
    """The error (0 to 1) on validation images that the chosen checkpoint should have."""
    epoch: int
    """The epoch whose checkpoint was chosen, from 1."""
    errors: Array
    """The error (0 to 1) on the forget set after each epoch (epochs,) float32."""
