"""The bundled ResNet-8, trained on the CIFAR-10 sample with wrong labels: what corrective unlearning starts from."""

from unlearn_core.data.datasets import cifar10_sample_mislabelled
from unlearn_core.models.classifiers import resnet8

CARD = resnet8.CARD.model_copy(
    update={
        "id": "resnet8-mislabelled",
        "title": "ResNet-8 with wrong labels · CIFAR-10 sample",
        "summary": "The weak model with 8 layers, trained on images of automobiles and trucks of which 40 % have the "
        "label of the other class. Forget these images, and see whether its accuracy on both classes comes back.",
        "dataset": cifar10_sample_mislabelled.CARD.id,
    }
)
