"""The shelf of data sets: each file has a CARD and `load(assets) -> Pictures`. None imports torch."""

from unlearn_core.catalog.files import ASSETS
from unlearn_core.catalog.pictures import Pictures
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.shelf import entry, modules


def cards() -> dict[str, DatasetCard]:
    """Every data set's card by its id."""
    return {module.CARD.id: module.CARD for module in modules("catalog.datasets").values()}


def card(name: str) -> DatasetCard:
    """One data set's card; raises UnknownName."""
    return entry("data set", cards(), name)


def load(name: str) -> Pictures:
    """All pictures of a data set; raises UnknownName or BadAsset."""
    known = {module.CARD.id: module for module in modules("catalog.datasets").values()}
    return entry("data set", known, name).load(ASSETS)
