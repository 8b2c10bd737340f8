"""The bundled ResNet-8 on the CIFAR-10 sample, with over a hundred golds, which the challenge's score needs."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.models.architectures import resnet8
from unlearn_core.models.classifiers import resnet20

CARD = ClassifierCard(
    id="resnet8",
    title="ResNet-8 · CIFAR-10 sample",
    summary="A weak model with 8 layers and 20,000 weights, so cheap that many retrained models ship with it.",
    architecture="resnet8",
    dataset="cifar10-sample",
    mean=resnet20.CARD.mean,
    std=resnet20.CARD.std,
    roles=resnet8.CARD.roles,
    recipe=resnet8.CARD.recipe,
    seed=0,
    licence=resnet20.CARD.licence,
    source=resnet20.CARD.source,
)
