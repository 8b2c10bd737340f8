"""LFW people: faces of public figures as the press showed them. It can no longer be downloaded from its authors.

Source: Huang, Ramesh, Berg and Learned-Miller 2007, Labeled Faces in the Wild. Most people have one picture only, so
only those with several are kept, and the sets are cut by a fixed seed.
"""

from pathlib import Path

from unlearn_core.data.ingest.source import FolderData, ImportContext, Option, OptionValues, Source
from unlearn_core.domain.errors import InvalidDatasetError

FOLDERS = ("lfw-py/lfw_funneled", "lfw-py/lfw-deepfunneled", "lfw-py/lfw", "lfw_funneled", "lfw-deepfunneled", "lfw")
"""Where torchvision puts it, and where people do; the first that is there is taken."""


def read(options: OptionValues, context: ImportContext) -> FolderData:
    """The people with so many pictures at the least."""
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
    where = "the folder that UNLEARN_DATA_ROOT names (none is set)" if root is None else str(root)
    return (
        "LFW can no longer be downloaded from its authors: get lfw-funneled.tgz where it is still kept, and unpack it "
        f"as lfw_funneled, with a folder for each person, into {where}."
    )


SOURCE = Source(
    id="lfw",
    title="LFW people",
    summary="Faces of public figures, a class for each person with enough pictures. From a local copy only.",
    needs="root",
    size=64,
    natural=False,
    licence="The authors name no licence; for research, not for judging people or systems that recognise them.",
    origin="Huang, Ramesh, Berg and Learned-Miller, University of Massachusetts.",
    read=read,
    options=(
        Option(
            "least",
            "Pictures of a person",
            "Only people with so many pictures are kept: 20 leaves some 60 people, 70 leaves 7.",
            20,
            low=3,
            high=500,
        ),
    ),
    unavailable_reason=_missing,
    variant_label=lambda answers: f"{answers['least']} pictures or more",
)
