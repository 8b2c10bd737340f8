"""The bundled sample of CIFAR-10 with wrong labels: those of some training automobiles and trucks are swapped.

This is the confusion set of the interclass confusion test (Goel et al., arXiv 2201.06640). The images are those of the
sample and are stored only there; what ships is the list of wrong labels. Validation and test labels are all right.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.data.datasets import cifar10_sample
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.installation import HOW_TO_RESTORE

SWAPPED = ("automobile", "truck")
PER_CLASS = 400
"""How many training images of each of the two classes have the label of the other."""
SEED = 2201
LABELS_FILE = "labels.json"
COPIES_FILE = "duplicates.npz"
"""The record of copies (`data/duplicates/record.py`, which cannot be imported here)."""

CARD = cifar10_sample.CARD.model_copy(
    update={
        "id": "cifar10-sample-mislabelled",
        "title": "CIFAR-10 sample, mislabelled",
        "summary": f"The CIFAR-10 sample, in which {PER_CLASS} training images of the class {SWAPPED[0]} are labelled "
        f"{SWAPPED[1]}, and {PER_CLASS} of the class {SWAPPED[1]} {SWAPPED[0]}: 8 % of all training labels.",
        "source": f"{cifar10_sample.CARD.source} The labels were swapped here, as in the interclass confusion test: "
        "Goel et al., Towards Adversarial Evaluations for Inexact Machine Unlearning, arXiv 2201.06640.",
    }
)


def load(assets: Path) -> ImageDataset:
    """Read the sample and its wrong labels; raise CorruptAssetError if either is missing or damaged."""
    sample = cifar10_sample.load(assets)
    labels = sample.labels.copy()
    for name, images in _wrong_labels(assets, sample.labels).items():
        labels[images] = CARD.classes.index(name)
    return sample._replace(labels=labels, true_labels=sample.labels)


def draw(labels: np.ndarray) -> dict[str, list[int]]:
    """Draw the images that get a wrong label, from the right labels (N,) of the sample: by this label, ascending."""
    numbers, random = [CARD.classes.index(name) for name in SWAPPED], np.random.default_rng(SEED)
    drawn = [
        np.sort(random.choice(np.flatnonzero(labels[: CARD.train] == number), PER_CLASS, replace=False))
        for number in numbers
    ]
    return {name: images.tolist() for name, images in zip(SWAPPED, reversed(drawn), strict=True)}


def build(assets: Path) -> None:
    """Write the wrong labels, and the record of copies, which is that of the sample."""
    labels, folder = cifar10_sample.load(assets).labels, assets / "datasets" / CARD.id
    patch = {"data set": cifar10_sample.CARD.id, "labels": _checksum(labels), "seed": SEED, "wrong": draw(labels)}
    atomic_write(folder / LABELS_FILE, json.dumps(patch, separators=(",", ":")).encode())
    shutil.copyfile(assets / "datasets" / cifar10_sample.CARD.id / COPIES_FILE, folder / COPIES_FILE)


def _wrong_labels(assets: Path, labels: np.ndarray) -> dict[str, list[int]]:
    """The images by the wrong label that they get, from the file."""
    path = assets / "datasets" / CARD.id / LABELS_FILE
    try:
        patch = json.loads(path.read_bytes())
        wrong = {name: [int(image) for image in patch["wrong"][name]] for name in SWAPPED}
        intact = patch["labels"] == _checksum(labels) and all(
            0 <= image < CARD.train for images in wrong.values() for image in images
        )
    except (OSError, ValueError, KeyError, TypeError):
        intact, wrong = False, {}
    if not intact:
        raise CorruptAssetError(f"{path} is missing or damaged. Restore it: {HOW_TO_RESTORE}.")
    return wrong


def _checksum(labels: np.ndarray) -> str:
    """The checksum of the sample's labels, for which the wrong ones were drawn."""
    return sha256(labels.astype(np.uint8).tobytes())
