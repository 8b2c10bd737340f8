"""The shelf of data sets: each file has a CARD and `load(assets) -> Pictures`; people's own are found beside them.

None of this imports torch.
"""

import numpy as np

from unlearn_core.catalog import own
from unlearn_core.catalog.files import ASSETS
from unlearn_core.catalog.pictures import Pictures
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import BadAsset
from unlearn_core.domain.shelf import entry, modules


def cards() -> dict[str, DatasetCard]:
    """Every data set's card by its id, those that ship first."""
    shipped = {module.CARD.id: module.CARD for module in modules("catalog.datasets").values()}
    return shipped | {name: card for name, card in own.dataset_cards().items() if name not in shipped}


def card(name: str) -> DatasetCard:
    """One data set's card; raises UnknownName."""
    return entry("data set", cards(), name)


def load(name: str) -> Pictures:
    """All pictures of a data set; raises UnknownName or BadAsset."""
    known = {module.CARD.id: module for module in modules("catalog.datasets").values()}
    return known[name].load(ASSETS) if name in known else _own(card(name))


def _own(card: DatasetCard) -> Pictures:
    """A prepared data set, its pictures mapped from the file: read from there as they are needed."""
    folder = own.prepared(card.id)
    assert folder is not None
    try:
        images = np.load(folder / own.IMAGES, mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / own.LABELS, allow_pickle=False)
    except (OSError, ValueError) as problem:
        raise BadAsset(f"The pictures of {card.title} in {folder} cannot be read ({problem}). Add it again.") from None
    return Pictures(images, labels, card.train, card.val, card.test)
