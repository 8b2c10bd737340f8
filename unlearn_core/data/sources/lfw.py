"""LFW people: press photographs of public figures. It can no longer be downloaded from its authors.

Source: Huang, Ramesh, Berg and Learned-Miller 2007, Labeled Faces in the Wild. Most people have only one image, so
only those with several are used, and the split is random from a fixed seed.
"""

from pathlib import Path

from unlearn_core.data.ingest.source import FolderData, ImportContext, Option, OptionValues, Source
from unlearn_core.domain.errors import InvalidDatasetError

FOLDERS = ("lfw-py/lfw_funneled", "lfw-py/lfw-deepfunneled", "lfw-py/lfw", "lfw_funneled", "lfw-deepfunneled", "lfw")
"""Where torchvision and people put it; the first that exists is used."""


def read(options: OptionValues, context: ImportContext) -> FolderData:
    """The people with at least so many images."""
    found = _folder(context.root)
    if found is None:
        raise InvalidDatasetError(_missing(context.root))
    return FolderData(found, min_count=int(options["least"]))


def _folder(root: Path | None) -> Path | None:
    places = [] if root is None else [root / name for name in FOLDERS]
    return next((place for place in places if place.is_dir()), None)


def _missing(root: Path | None) -> str:
    if _folder(root) is not None:
        return ""
    where = "the folder that UNLEARN_DATA_ROOT sets (none is set)" if root is None else str(root)
    return (
        "LFW can no longer be downloaded from its authors: get lfw-funneled.tgz from a mirror and unpack it as "
        f"lfw_funneled, with one folder per person, into {where}."
    )


SOURCE = Source(
    id="lfw",
    title="LFW people",
    summary="Faces of public figures, one class per person with enough images. From a local copy only.",
    needs="root",
    size=64,
    natural=False,
    licence="The authors state no licence; for research, not for judging people or systems that recognise them.",
    origin="Huang, Ramesh, Berg and Learned-Miller, University of Massachusetts.",
    read=read,
    options=(
        Option(
            "least",
            "Images per person",
            "Only people with at least so many images are used: 20 leaves about 60 people, 70 leaves 7.",
            20,
            low=3,
            high=500,
        ),
    ),
    unavailable_reason=_missing,
    variant_label=lambda options: f"{options['least']} images or more",
)
