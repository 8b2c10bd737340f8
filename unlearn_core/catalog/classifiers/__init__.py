"""The shelf of classifiers: each file has a CARD and `build(classes) -> nn.Module`. Reading the shelf imports torch."""

from torch import nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.shelf import entry, modules


def cards() -> dict[str, ClassifierCard]:
    """Every classifier's card by its id."""
    return {module.CARD.id: module.CARD for module in modules("catalog.classifiers").values()}


def card(name: str) -> ClassifierCard:
    """One classifier's card; raises UnknownName."""
    return entry("classifier", cards(), name)


def build(name: str, classes: int) -> nn.Module:
    """A net of that architecture with fresh weights from torch's current random state; raises UnknownName."""
    known = {module.CARD.id: module for module in modules("catalog.classifiers").values()}
    return entry("classifier", known, name).build(classes)
