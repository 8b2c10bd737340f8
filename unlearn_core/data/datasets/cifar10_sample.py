"""The bundled sample of CIFAR-10: 13,000 images that need no download."""

import json
from pathlib import Path

import numpy as np

from unlearn_core.data.atomic_files import atomic_write, read_verified, sha256
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.webp_sheets import decode, encode
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.installation import HOW_TO_RESTORE

PER_CLASS = {"train": 1000, "val": 100, "test": 200}

CARD = DatasetCard(
    id="cifar10-sample",
    title="CIFAR-10 sample",
    summary="1,000 training, 100 validation and 200 test images of each of ten classes, 32 pixels wide.",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    size=32,
    train=10_000,
    val=1_000,
    test=2_000,
    licence="CIFAR-10 has no formal licence; it is free for research with citation of Krizhevsky (2009), "
    "Learning Multiple Layers of Features from Tiny Images.",
    source="Krizhevsky, Nair and Hinton, University of Toronto: the first images of each class in canonical order. "
    "Validation and test images both come from CIFAR-10's test set, without overlap.",
)


def load(assets: Path) -> ImageDataset:
    """Reads the sprites; raises CorruptAssetError if one is missing or damaged."""
    folder = assets / "datasets" / CARD.id
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        raise CorruptAssetError(f"There is no readable manifest in {folder}. Restore it: {HOW_TO_RESTORE}.") from None
    files = [read_verified(folder / name, digest) for name, digest in manifest["sprites"].items()]
    labels = np.frombuffer(read_verified(folder / "labels.bin", manifest["labels"]), np.uint8).astype(np.int64)
    return ImageDataset(decode(files, CARD.size), labels, CARD.train, CARD.val, CARD.test)


def select(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Selects the sample's images (13000, 32, 32, 3) uint8 and labels (13000,) uint8 from all of CIFAR-10.

    `train` and `test` are images (N, 32, 32, 3) uint8 and labels (N,) in canonical order. Of each class, the first
    1,000 training images are selected, and the first 100 (validation) and next 200 (test) of the test images.
    """
    chosen = [
        _first(*train, 0, PER_CLASS["train"]),
        _first(*test, 0, PER_CLASS["val"]),
        _first(*test, PER_CLASS["val"], PER_CLASS["test"]),
    ]
    images = np.concatenate([images for images, _ in chosen])
    return images, np.concatenate([labels for _, labels in chosen]).astype(np.uint8)


def checksum(images: np.ndarray, labels: np.ndarray) -> str:
    """The checksum of a sample's pixels and labels: the same for every source that it was selected from."""
    return sha256(images.tobytes() + labels.astype(np.uint8).tobytes())


def build(assets: Path, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> str:
    """Selects the sample, writes it, and returns its checksum."""
    images, labels = select(train, test)
    folder = assets / "datasets" / CARD.id
    sprites = {f"{number:02d}.webp": file for number, file in enumerate(encode(images))}
    for name, file in sprites.items():
        atomic_write(folder / name, file)
    atomic_write(folder / "labels.bin", labels.tobytes())
    content = checksum(images, labels)
    manifest = {
        "content": content,
        "labels": sha256(labels.tobytes()),
        "sprites": {name: sha256(file) for name, file in sprites.items()},
    }
    atomic_write(folder / "manifest.json", json.dumps(manifest, indent=1).encode())
    return content


def _first(images: np.ndarray, labels: np.ndarray, skip: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` images of each class, in canonical order, after the first `skip` of that class."""
    rows = np.sort(np.concatenate([np.flatnonzero(labels == c)[skip : skip + count] for c in range(10)]))
    return images[rows], labels[rows]
