"""The registry of architectures: each file here has a CARD and `build(classes, size, normalize) -> nn.Module`.

`normalize` is the first layer of every model (see models/normalize.py), so that all of them take pixels in [0, 1].
In addition, every classifier of torchvision and timm can be built by name (see models/external.py).
Reading the registry imports torch.
"""

from torch import nn

from unlearn_core import plugins
from unlearn_core.domain.cards import ArchitectureCard
from unlearn_core.domain.errors import NotSupportedError
from unlearn_core.models import external
from unlearn_core.plugins import discover, lookup


def cards() -> dict[str, ArchitectureCard]:
    """The cards of all architectures by id, the smallest first, and last those whose size is not said."""
    found: list[ArchitectureCard] = plugins.cards("models.architectures", "CARD")
    return {card.id: card for card in sorted(found, key=lambda card: card.weights or float("inf"))}


def card(name: str, size: int | None = None) -> ArchitectureCard:
    """The card of one architecture; raises NotFoundError.

    The roles in a library's model depend on the images' `size` in pixels, by default the model's native size.
    """
    return external.card(name, size) if external.is_external(name) else lookup("architecture", cards(), name)


def build(name: str, classes: int, size: int, normalize: nn.Module) -> nn.Module:
    """A model with fresh weights from torch's current random state, for square images of `size` pixels.

    Raises NotFoundError, and NotSupportedError if it does not support such images.
    """
    if external.is_external(name):
        return external.build(name, classes, size, normalize)
    modules = {module.CARD.id: module for module in discover("models.architectures").values()}
    module = lookup("architecture", modules, name)
    if size < module.CARD.smallest:
        raise NotSupportedError(
            f"{module.CARD.title} needs images of {module.CARD.smallest} pixels or more, and these have {size}. "
            "Choose larger images or another architecture."
        )
    return module.build(classes, size, normalize)
