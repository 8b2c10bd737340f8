"""CIFAR-100: like CIFAR-10, with 100 fine classes or the 20 coarse ones that group them.

Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. Torchvision reads the fine labels; the
coarse class of each fine class comes from the authors' table.
"""

import numpy as np

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.source import ArrayData, ImportContext, Option, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision

REMOTE_FILES = (
    RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
    ),
)

COARSE = {
    "aquatic mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food containers": "bottle bowl can cup plate",
    "fruit and vegetables": "apple mushroom orange pear sweet_pepper",
    "household electrical devices": "clock keyboard lamp telephone television",
    "household furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large carnivores": "bear leopard lion tiger wolf",
    "large man-made outdoor things": "bridge castle house road skyscraper",
    "large natural outdoor scenes": "cloud forest mountain plain sea",
    "large omnivores and herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium-sized mammals": "fox porcupine possum raccoon skunk",
    "non-insect invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles 1": "bicycle bus motorcycle pickup_truck train",
    "vehicles 2": "lawn_mower rocket streetcar tank tractor",
}
"""The coarse classes in their canonical order, with the fine ones in each."""


def read(options: OptionValues, context: ImportContext) -> ArrayData:
    """All images in canonical order, with fine or coarse labels."""
    sets = open_torchvision("CIFAR100", [{"train": True}, {"train": False}], REMOTE_FILES, context)
    fine = tuple(sets[0].classes)
    if options["labels"] == "fine":
        classes, table = tuple(name.replace("_", " ") for name in fine), np.arange(len(fine))
    else:
        of = {name: number for number, names in enumerate(COARSE.values()) for name in names.split()}
        classes, table = tuple(COARSE), np.array([of[name] for name in fine])
    return ArrayData(
        classes,
        {name: (one.data, table[np.array(one.targets)]) for name, one in zip(("train", "test"), sets, strict=True)},
    )


SOURCE = Source(
    id="cifar100",
    title="CIFAR-100",
    summary="100 fine or 20 coarse classes: 50,000 training and 10,000 test images, 32 pixels wide.",
    needs="download",
    size=32,
    natural=True,
    licence="CIFAR-100 has no formal licence; it is free for research with citation of Krizhevsky (2009), "
    "Learning Multiple Layers of Features from Tiny Images.",
    origin="Krizhevsky, Nair and Hinton, University of Toronto.",
    read=read,
    options=(
        Option(
            "labels",
            "Classes",
            "100 fine classes, or the 20 coarse ones that group them (beaver and whale are aquatic mammals).",
            "fine",
            choices=("fine", "coarse"),
        ),
    ),
    variant_label=lambda options: "coarse" if options["labels"] == "coarse" else "",
)
