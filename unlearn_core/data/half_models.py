"""The outputs of small models that were each trained on a random half of a data set's training images.

They show which images models memorise, and how sure models with and without an image are of it, which is what attacks
with reference models need. Of each model only two figures per training image are stored: those of the bundled images
ship, those of other data sets are in the data folder.
"""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import asset_roots, atomic_write
from unlearn_core.domain.cards import DatasetCard

RECORD_FILE = "half-models.npz"
STEPS, MIDDLE = 8, 128
"""A confidence is stored in 8 bits, in steps of 1/8: it lies between -16 and 15.875 and is off by 1/16 at most."""


_SEED = 20_083_703
"""Seeds the halves, so that which model was trained on which image need not be stored."""


class Memorisation(NamedTuple):
    """What models of random halves show of N training images, each (N,) float64."""

    score: np.ndarray
    """-1 to 1: how much more often a model that was trained on the image classifies it correctly than another model."""
    error: np.ndarray
    """The standard error of the score."""
    unseen: np.ndarray
    """0 to 1: the mean probability of the true class in the models that were not trained on the image."""


class HalfModels(NamedTuple):
    """The outputs of M models on N training images, as they are stored."""

    confidence: np.ndarray
    """(M, N) float32: log(p / (1 - p)) for the probability p of the true class, -16 to 15.875."""
    correct: np.ndarray
    """(M, N) bool: whether the prediction is the true class."""
    made_with: str
    """The architecture and the recipe, as JSON."""

    @property
    def num_models(self) -> int:
        return len(self.correct)

    @property
    def members(self) -> np.ndarray:
        """Which models were trained on which images (M, N) bool."""
        return half_members(self.correct.shape[1], self.num_models)

    @property
    def memorisation(self) -> Memorisation:
        """The memorisation of each image."""
        return memorisation(self.correct, 1 / (1 + np.exp(-self.confidence)), self.members)


def half_members(num_images: int, num_models: int) -> np.ndarray:
    """Return which models are trained on which images: (num_models, num_images) bool.

    Models 2k and 2k + 1 share the images between them, so of an even number of models every image is in just half.
    """
    found = np.zeros((num_models + num_models % 2, num_images), bool)
    for pair in range(len(found) // 2):
        drawn = np.random.default_rng([_SEED, pair]).permutation(num_images)[: num_images // 2]
        found[2 * pair, drawn] = True
        found[2 * pair + 1] = ~found[2 * pair]
    return found[:num_models]


def memorisation(correct: np.ndarray, probability: np.ndarray, members: np.ndarray) -> Memorisation:
    """Return the memorisation of images from models of random halves, arrays (models, N); `members` as they were drawn.

    The score is the share of models with the image that classify it correctly, minus the share of models without it:
    Feldman and Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020 (2008.03703), section 1, estimated from
    models of random subsets as in section 2. The standard error is that of Agresti and Caffo (The American
    Statistician 54, 2000), which adds one success and one failure to either side, so that it is never 0.
    """
    shares: list[np.ndarray] = []
    variances: list[np.ndarray] = []
    for side in (members, ~members):
        hits, models = (correct & side).sum(0), side.sum(0)
        shares.append(hits / models)
        smooth = (hits + 1) / (models + 2)
        variances.append(smooth * (1 - smooth) / (models + 2))
    unseen = np.where(members, 0, probability.astype(np.float64)).sum(0) / (~members).sum(0)
    return Memorisation(shares[0] - shares[1], np.sqrt(variances[0] + variances[1]), unseen)


def own_file(dataset: str) -> Path | None:
    """Return where the outputs for a data set are stored that were made here; None if no data folder is set."""
    folder = user_catalog.user_dataset_dir(dataset)
    return None if folder is None else folder / RECORD_FILE


def bundled_file(assets: Path, dataset: str) -> Path:
    """Return where the outputs for a data set are in a folder of assets."""
    return assets / "datasets" / dataset / RECORD_FILE


def existing_files(dataset: str) -> list[Path]:
    """Return the files with outputs for a data set: one that was made here, and one that ships."""
    own = own_file(dataset)
    files = [*([] if own is None else [own]), *(bundled_file(root, dataset) for root in asset_roots())]
    return [file for file in files if file.exists()]


def load(dataset: str, labels: np.ndarray) -> HalfModels | None:
    """Return the outputs for a data set with these labels (N,) of its training images; None if there are none."""
    found = [models for file in existing_files(dataset) if (models := read(file, labels)) is not None]
    return max(found, key=lambda models: models.num_models, default=None)


def how_to_make(card: DatasetCard) -> str:
    """Return why there are no outputs for a data set, and how they are made, in a sentence or two."""
    if card.is_points:
        return "Memorisation is only measured for images, not for points."
    return (
        "Which of these images models memorise has not been measured. "
        f"`python -m unlearn_core difficulty --dataset {card.id}` measures it with small models."
    )


def write(path: Path, models: HalfModels, labels: np.ndarray) -> None:
    """Write the outputs, with the checksum of the labels (N,) that they belong to."""
    buffer = io.BytesIO()
    levels = np.clip(np.rint(models.confidence * STEPS) + MIDDLE, 0, 255).astype(np.uint8)
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        confidence=levels,
        correct=np.packbits(models.correct, axis=1),
        made_with=np.array(models.made_with),
        labels=np.array(_checksum(labels)),
    )
    atomic_write(path, buffer.getvalue())


def read(path: Path, labels: np.ndarray) -> HalfModels | None:
    """Return stored outputs; None if there are none, if they are damaged, or if they belong to other labels (N,).

    Then they can be made again.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            if str(stored["labels"]) != _checksum(labels):
                return None
            confidence = (stored["confidence"].astype(np.float32) - MIDDLE) / STEPS
            correct = np.unpackbits(stored["correct"], axis=1, count=len(labels)).astype(bool)
            return HalfModels(confidence, correct, str(stored["made_with"]))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _checksum(labels: np.ndarray) -> str:
    return hashlib.sha256(labels.astype(np.int64).tobytes()).hexdigest()
