"""Flowers-102: flowers of the United Kingdom, ten training and ten validation images of each kind.

Source: Nilsback and Zisserman 2008, Automated Flower Classification over a Large Number of Classes.
"""

from pathlib import Path

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.layout.class_folders import ImageFile
from unlearn_core.data.ingest.source import FolderData, ImportContext, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision, relative_paths

_HOST = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102"
REMOTE_FILES = tuple(
    RemoteFile(f"{_HOST}/{name}", f"flowers-102/{name}", md5)
    for name, md5 in (
        ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"),
        ("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
        ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
    )
)


def read(options: OptionValues, context: ImportContext) -> FolderData:
    """The files of the authors' own three sets."""
    sets = open_torchvision("Flowers102", [{"split": name} for name in ("train", "val", "test")], REMOTE_FILES, context)
    classes = tuple(name.rstrip("?") for name in sets[0].classes)
    root = Path(sets[0].root) / "flowers-102" / "jpg"
    items = [
        ImageFile(path, classes[label], part)
        for part, one in zip(("train", "val", "test"), sets, strict=True)
        for path, label in zip(relative_paths(one._image_files, root), one._labels, strict=True)
    ]
    return FolderData(root, classes, items)


SOURCE = Source(
    id="flowers102",
    title="Flowers-102",
    summary="102 kinds of flowers: 1,020 training, 1,020 validation and 6,149 test photographs.",
    needs="download",
    size=64,
    natural=False,
    licence="The authors state no licence; for research, with citation of Nilsback and Zisserman (2008).",
    origin="Nilsback and Zisserman, University of Oxford.",
    read=read,
)
