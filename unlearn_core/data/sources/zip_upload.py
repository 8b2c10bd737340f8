"""An uploaded zip of class folders: checked first, then decoded image by image in a sandboxed process."""

from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.source import (
    LAYOUT_OPTIONS,
    ImportContext,
    Option,
    OptionValues,
    Source,
    ZipData,
    layout_values,
)
from unlearn_core.domain.errors import InvalidDatasetError


def read(options: OptionValues, context: ImportContext) -> ZipData:
    """The upload, by the name under which it is stored. Raises InvalidDatasetError if it is gone."""
    file = upload_store.upload_path(context.data_dir, str(options["upload"]))
    if not file.exists():
        raise InvalidDatasetError("The uploaded file no longer exists: choose it again.")
    encoding, as_classes = layout_values(options)
    return ZipData(file, encoding=encoding, as_classes=as_classes)


SOURCE = Source(
    id="zip",
    title="Your own zip file",
    summary="One folder per class, with its images in it; optionally in train, val and test folders. Or a folder of "
    "images and a table with their classes.",
    needs="upload",
    size=64,
    natural=False,
    licence="Unknown to the lab: ask the person who added these images.",
    origin="An uploaded zip.",
    read=read,
    options=(Option("upload", "Zip", "A zip file of class folders.", ""), *LAYOUT_OPTIONS),
)
