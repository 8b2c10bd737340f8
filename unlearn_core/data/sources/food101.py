"""Food-101: dishes photographed by guests; some training labels are wrong on purpose.

Source: Bossard, Guillaumin and Van Gool 2014, Food-101: Mining Discriminative Components with Random Forests.
"""

from pathlib import Path

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.layout.class_folders import ImageFile
from unlearn_core.data.ingest.source import FolderData, ImportContext, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision, relative_paths

REMOTE_FILES = (
    RemoteFile(
        "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz", "food-101.tar.gz", "85eeb15f3717b99a5da872d97d918f87"
    ),
)


def read(options: OptionValues, context: ImportContext) -> FolderData:
    """The files of the authors' own training and test lists."""
    sets = open_torchvision("Food101", [{"split": "train"}, {"split": "test"}], REMOTE_FILES, context)
    classes = tuple(name.replace("_", " ") for name in sets[0].classes)
    root = Path(sets[0].root) / "food-101" / "images"
    items = [
        ImageFile(path, classes[label], part)
        for part, one in zip(("train", "test"), sets, strict=True)
        for path, label in zip(relative_paths(one._image_files, root), one._labels, strict=True)
    ]
    return FolderData(root, classes, items)


SOURCE = Source(
    id="food101",
    title="Food-101",
    summary="101 dishes: 75,750 training and 25,250 test photographs, up to 512 pixels wide (a download of 5 GB).",
    needs="download",
    size=64,
    natural=False,
    licence="The photographs come from foodspotting.com and belong to those who took them; for research only.",
    origin="Bossard, Guillaumin and Van Gool, ETH Zurich.",
    read=read,
)
