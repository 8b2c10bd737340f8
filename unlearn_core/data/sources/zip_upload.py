"""A zip of class folders that somebody uploads: checked first, and read by a limited process, picture by picture."""

from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.source import ImportContext, Option, OptionValues, Source, ZipData
from unlearn_core.domain.errors import InvalidDatasetError


def read(options: OptionValues, context: ImportContext) -> ZipData:
    """The upload, by the name under which it is kept. Raises BadPictures where it is gone."""
    file = upload_store.upload_path(context.data_dir, str(options["upload"]))
    if not file.exists():
        raise InvalidDatasetError("The uploaded file is no longer there: choose it again.")
    return ZipData(file)


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
