"""A zip of class folders that somebody uploads: checked first, and read by a limited process, picture by picture."""

from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.source import Answers, Archive, Option, Place, Source
from unlearn_core.domain.errors import BadPictures


def read(answers: Answers, place: Place) -> Archive:
    """The upload, by the name under which it is kept. Raises BadPictures where it is gone."""
    file = upload_store.path(place.home, str(answers["upload"]))
    if not file.exists():
        raise BadPictures("The uploaded file is no longer there: choose it again.")
    return Archive(file)


SOURCE = Source(
    id="zip",
    title="A zip of your own",
    summary="A folder for each class, with its pictures in it; optionally in train, val and test folders.",
    needs="upload",
    size=64,
    natural=False,
    licence="Not known to the lab: whoever added these pictures knows.",
    origin="An uploaded zip.",
    read=read,
    options=(Option("upload", "Zip", "A zip file of class folders.", ""),),
)
