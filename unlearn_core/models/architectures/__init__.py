"""The shelf of architectures: each file has a CARD and `build(classes, size, normalise) -> nn.Module`.

`normalise` is the first layer of every net (see models/normalize.py), so that all of them take pixels in [0, 1].
Beside the shelf every classifier of torchvision and timm can be had by name (see models/external.py).
Reading the shelf imports torch.
"""

from torch import nn

from unlearn_core import plugins
from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.models import external
from unlearn_core.plugins import discover, lookup


def cards() -> dict[str, ArchitectureCard]:
    """Every architecture's card by its id."""
    return {card.id: card for card in plugins.cards("models.architectures", "CARD")}


def card(name: str, size: int | None = None) -> ArchitectureCard:
    """One architecture's card; raises UnknownName.

    The roles in a library's net depend on the pictures' `size` in pixels: it is the net's own where none is given.
    """
    return external.card(name, size) if external.is_external(name) else lookup("architecture", cards(), name)


def build(name: str, classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A net with fresh weights from torch's current random state, for square pictures of that many pixels a side.

    Raises UnknownName, and NotSupported where it does not take such pictures.
    """
    if external.is_external(name):
        return external.build(name, classes, size, normalize)
    known = {module.CARD.id: module for module in discover("models.architectures").values()}
    module = lookup("architecture", known, name)
    if size < module.CARD.smallest:
        raise NotSupportedError(
            f"{module.CARD.title} takes pictures of {module.CARD.smallest} pixels or more, and these have {size}. "
            "Choose larger pictures or another architecture."
        )
    return module.build(classes, size, normalize)
