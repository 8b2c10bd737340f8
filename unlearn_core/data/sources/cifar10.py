"""CIFAR-10: ten classes of things and animals, 32 pixels wide; 50,000 pictures to train with and 10,000 to test.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.
"""

import numpy as np

from unlearn_core.data.ingest.download import Part
from unlearn_core.data.ingest.source import Answers, Arrays, Place, Source
from unlearn_core.data.ingest.torchvision_roots import opened

PARTS = (
    Part(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
    ),
)


def read(answers: Answers, place: Place) -> Arrays:
    """All pictures in canonical order."""
    train, test = opened("CIFAR10", [{"train": True}, {"train": False}], PARTS, place)
    return Arrays(
        tuple(train.classes),
        {name: (one.data, np.array(one.targets)) for name, one in (("train", train), ("test", test))},
    )


SOURCE = Source(
    id="cifar10",
    title="CIFAR-10",
    summary="Ten classes of things and animals: 50,000 training and 10,000 test pictures, 32 pixels wide.",
    needs="download",
    size=32,
    natural=True,
    licence="CIFAR-10 has no formal licence; it is free for research with citation of Krizhevsky (2009), "
    "Learning Multiple Layers of Features from Tiny Images.",
    origin="Krizhevsky, Nair and Hinton, University of Toronto.",
    read=read,
)
