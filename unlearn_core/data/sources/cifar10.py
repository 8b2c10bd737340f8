"""CIFAR-10: ten classes of objects and animals, 32 pixels wide; 50,000 training and 10,000 test images.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.
"""

import numpy as np

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.source import ArrayData, ImportContext, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision

REMOTE_FILES = (
    RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
    ),
)


def read(options: OptionValues, context: ImportContext) -> ArrayData:
    """All images in canonical order."""
    train, test = open_torchvision("CIFAR10", [{"train": True}, {"train": False}], REMOTE_FILES, context)
    return ArrayData(
        tuple(train.classes),
        {name: (one.data, np.array(one.targets)) for name, one in (("train", train), ("test", test))},
    )


SOURCE = Source(
    id="cifar10",
    title="CIFAR-10",
    summary="Ten classes of objects and animals: 50,000 training and 10,000 test images, 32 pixels wide.",
    needs="download",
    size=32,
    natural=True,
    licence="CIFAR-10 has no formal licence; it is free for research with citation of Krizhevsky (2009), "
    "Learning Multiple Layers of Features from Tiny Images.",
    origin="Krizhevsky, Nair and Hinton, University of Toronto.",
    read=read,
)
