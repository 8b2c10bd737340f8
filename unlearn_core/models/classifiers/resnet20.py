"""The bundled classifier: a ResNet-20 on the bundled sample of CIFAR-10."""

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.models.architectures import resnet20

CARD = ClassifierCard(
    id="resnet20",
    title="ResNet-20 · CIFAR-10 sample",
    summary="A residual network with 20 layers and 275,000 weights, small enough to be retrained here in minutes.",
    architecture="resnet20",
    dataset="cifar10-sample",
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    roles=resnet20.CARD.roles,
    recipe=resnet20.CARD.recipe,
    seed=0,
    licence="MIT, the licence of Unlearn Lab; trained on CIFAR-10 images (see the data set's terms).",
    source="Trained by `make bundle` on exactly the 10,000 training images of the bundled sample.",
)
