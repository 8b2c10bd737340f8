"""The registry of data sets: each file here has a CARD and `load(assets) -> ImageDataset`; users' own are added.

None of this imports torch.
"""

from typing import Any

import numpy as np

from unlearn_core.data import user_catalog
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.installation import ASSETS
from unlearn_core.plugins import discover, lookup


def cards() -> dict[str, DatasetCard]:
    """The cards of all data sets by id, those that ship first."""
    ours = {name: module.CARD for name, module in bundled().items()}
    return ours | {name: card for name, card in user_catalog.dataset_cards().items() if name not in ours}


def card(name: str) -> DatasetCard:
    """The card of one data set; raises NotFoundError."""
    return lookup("data set", cards(), name)


def bundled() -> dict[str, Any]:
    """The modules of the data sets that ship or that a plug-in adds, by id."""
    return {module.CARD.id: module for module in discover("data.datasets").values()}


def load(name: str) -> ImageDataset:
    """All images of a data set; raises NotFoundError or CorruptAssetError."""
    modules = bundled()
    return modules[name].load(ASSETS) if name in modules else _own(card(name))


def _own(card: DatasetCard) -> ImageDataset:
    """A prepared data set whose images are memory-mapped, so that they are read as they are needed.

    The map is copy-on-write, because torch takes no read-only arrays; nothing is ever written to the file.
    """
    folder = user_catalog.user_dataset_dir(card.id)
    assert folder is not None
    try:
        images = np.load(folder / user_catalog.IMAGES_FILE, mmap_mode="c", allow_pickle=False)
        labels = np.load(folder / user_catalog.LABELS_FILE, allow_pickle=False)
    except (OSError, ValueError) as problem:
        raise CorruptAssetError(
            f"The images of {card.title} in {folder} cannot be read ({problem}). Add it again."
        ) from None
    shape = (card.train + card.val + card.test, card.size, card.size, 3)
    if images.shape != shape or images.dtype != np.uint8 or len(labels) != shape[0]:
        raise CorruptAssetError(f"The images of {card.title} in {folder} do not match its card. Add it again.")
    return ImageDataset(images, labels, card.train, card.val, card.test)
