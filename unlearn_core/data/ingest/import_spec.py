"""Build an ImportDatasetSpec from the options that a person chose."""

import secrets
from pathlib import Path

from unlearn_core.data import datasets
from unlearn_core.data.ingest.decode_image import Fit
from unlearn_core.data.ingest.prepare import slug
from unlearn_core.data.ingest.sanitize import class_name_error, quote
from unlearn_core.data.ingest.source import OptionValues, Source
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import ImportDatasetSpec

IMAGE_SIZES = (16, 24, 28, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256)
"""Widths to choose from, in pixels."""


def build_import_spec(
    source: Source, options: OptionValues, *, title: str = "", size: int | None = None, fit: Fit | None = None
) -> ImportDatasetSpec:
    """The import of a source with these options, under an id that is unique to these images.

    The id of a well-known data set is its name. Other ids get a suffix: a hash of the content for uploads, so that the
    same upload is recognised, and a random one for the rest. Raises InvalidDatasetError, with what to do.
    """
    option_values = source.option_values(options)
    size, fit = size or source.size, fit or source.fit
    more = source.variant_label(option_values)
    title = " ".join((title or source.title + (f" ({more})" if more else "")).split())
    why = class_name_error(title)
    if why:
        raise InvalidDatasetError(
            f"A data set cannot be called {quote(title)}: it {why.replace(': rename the folder', '')}."
        )
    if size not in IMAGE_SIZES:
        raise InvalidDatasetError(f"The width can be {', '.join(map(str, IMAGE_SIZES))} pixels, not {size}.")
    if source.needs == "download":
        other = "" if size == source.size and fit == source.fit else f"{size}-{fit}"
        name = "-".join(filter(None, (source.id, slug(more), other)))
    else:
        draft = ImportDatasetSpec(
            dataset="x", title="x", source=source.id, options=_content(source, option_values), size=size, fit=fit
        )
        mark = fingerprint(draft)[:6] if source.needs == "upload" else secrets.token_hex(3)
        name = f"{slug(title) or source.id}-{mark}"
    if name in datasets.cards():
        raise InvalidDatasetError(f"{datasets.card(name).title} already exists: choose it, or remove it first.")
    return ImportDatasetSpec(dataset=name, title=title, source=source.id, options=option_values, size=size, fit=fit)


def title_from_filename(filename: str) -> str:
    """A title from a file's name, without characters that a title cannot contain."""
    stem = "".join(letter for letter in Path(filename).stem[:80] if class_name_error(f"x{letter}x") is None)
    return " ".join(stem.replace("_", " ").split()) or "My images"


def _content(source: Source, options: dict[str, str | int]) -> dict[str, str | int]:
    """The options that decide about the images: the upload by its hash alone, however often it was sent.

    Further options count only where they are not the default: they came later, and known uploads keep their id.
    """
    defaults = {option.name: option.default for option in source.options}
    return {
        name: str(value).partition("-")[0] if name == "upload" else value
        for name, value in options.items()
        if name == "upload" or value != defaults[name]
    }
