"""The registry of classifiers: each file here has a CARD; users' own are added.

Reading the registry imports torch.
"""

from torch import nn

from unlearn_core import plugins
from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.plugins import lookup


def cards() -> dict[str, ClassifierCard]:
    """The cards of all classifiers by id, those that ship first."""
    shipped = {card.id: card for card in plugins.cards("models.classifiers", "CARD")}
    return shipped | {name: card for name, card in user_catalog.classifier_cards().items() if name not in shipped}


def card(name: str) -> ClassifierCard:
    """The card of one classifier; raises NotFoundError."""
    return lookup("classifier", cards(), name)


def build(card: ClassifierCard, dataset: DatasetCard) -> nn.Module:
    """A model of that classifier's architecture with fresh weights from torch's current random state."""
    normalize = Normalize(card.mean, card.std)
    return architectures.build(card.architecture, len(dataset.classes), dataset.size, normalize)
