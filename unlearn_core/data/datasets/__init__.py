"""The shelf of data sets: each file has a CARD and `load(assets) -> Pictures`; people's own are found beside them.

None of this imports torch.
"""

from typing import Any

import numpy as np

from unlearn_core.data import user_catalog
from unlearn_core.data.atomic_files import ASSETS
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.plugins import discover, lookup


def cards() -> dict[str, DatasetCard]:
    """Every data set's card by its id, those that ship first."""
    ours = {name: module.CARD for name, module in bundled().items()}
    return ours | {name: card for name, card in user_catalog.dataset_cards().items() if name not in ours}


def card(name: str) -> DatasetCard:
    """One data set's card; raises UnknownName."""
    return lookup("data set", cards(), name)


def bundled() -> dict[str, Any]:
    """The modules of the data sets that ship, or that a plug-in brings, by their id."""
    return {module.CARD.id: module for module in discover("data.datasets").values()}


def load(name: str) -> ImageDataset:
    """All pictures of a data set; raises UnknownName or BadAsset."""
    known = bundled()
    return known[name].load(ASSETS) if name in known else _own(card(name))


def _own(card: DatasetCard) -> ImageDataset:
    """A prepared data set, its pictures mapped from the file: read from there as they are needed.

    Mapped for writing into memory, which never reaches the file: torch takes nothing that is read only.
    """
    folder = user_catalog.user_dataset_dir(card.id)
    assert folder is not None
    try:
        images = np.load(folder / user_catalog.IMAGES_FILE, mmap_mode="c", allow_pickle=False)
        labels = np.load(folder / user_catalog.LABELS_FILE, allow_pickle=False)
    except (OSError, ValueError) as problem:
        raise CorruptAssetError(
            f"The pictures of {card.title} in {folder} cannot be read ({problem}). Add it again."
        ) from None
    shape = (card.train + card.val + card.test, card.size, card.size, 3)
    if images.shape != shape or images.dtype != np.uint8 or len(labels) != shape[0]:
        raise CorruptAssetError(f"The pictures of {card.title} in {folder} are not those of its card. Add it again.")
    return ImageDataset(images, labels, card.train, card.val, card.test)
