"""What a gallery says of each image of a data set: its class and number, its prediction, and its file."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unlearn_core.data.image_search import ImageFacts
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.ui.gallery.listings import Description, describe

MAX_NAME_LENGTH = 24
"""The most characters of a file name below an image."""


class DatasetTexts(NamedTuple):
    """The texts of the images of a data set; all but the card by the number of the image."""

    dataset: DatasetCard
    labels: np.ndarray
    facts: ImageFacts | None = None
    paths: Sequence[str] | None = None
    true_labels: np.ndarray | None = None
    """Where some labels are known to be wrong."""

    @property
    def lines(self) -> int:
        """The number of lines below each image."""
        return 1 + sum(one is not None for one in (self.true_labels, self.facts, self.paths))

    def describe(self, images: np.ndarray) -> list[Description]:
        """Return the texts of these images (n,)."""
        return [self._describe(image) for image in images.tolist()]

    def _describe(self, image: int) -> Description:
        name = self.dataset.classes[self.labels[image]]
        lines, details = [f"{name} {image}"], [f"{self.dataset.item_noun} of the class {name}"]
        true = name if self.true_labels is None else self.dataset.classes[self.true_labels[image]]
        if self.facts is not None:
            predicted = self.dataset.classes[self.facts.predictions[image]]
            sure = f"{100 * self.facts.confidence[image]:.0f} %"
            is_correct = predicted == name == true
            lines.append(f"✓ {sure}" if is_correct else f"→ {predicted} {sure}")
            details.append("predicted correctly" if is_correct else f"predicted as {predicted}")
        if self.paths is not None:
            lines.append(short_name(self.paths[image]))
            details.append(f"file {self.paths[image]}")
        if self.true_labels is not None:
            lines.append("" if true == name else f"true: {true}")
            details += [] if true == name else [f"wrong label, true class {true}"]
        return describe(*lines, details=", ".join(details))


def short_name(path: str) -> str:
    """The base name of a path, without its middle if it is long."""
    name, half = path.rpartition("/")[2], MAX_NAME_LENGTH // 2
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: half - 1]}…{name[-half:]}"
