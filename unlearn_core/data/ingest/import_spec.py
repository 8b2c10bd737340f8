"""From what somebody chose to the import that does it."""

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
"""Widths that are offered, in pixels."""


def build_import_spec(
    source: Source, options: OptionValues, *, title: str = "", size: int | None = None, fit: Fit | None = None
) -> ImportDatasetSpec:
    """The import of a source with these answers, under an id that means these pictures and no others.

    A set that has a name keeps it; what people bring themselves gets a mark: an upload that of its content, so that it
    is known again, all else one drawn at random. Raises BadPictures, with what to do.
    """
    answers = source.option_values(options)
    size, fit = size or source.size, fit or source.fit
    more = source.variant_label(answers)
    title = " ".join((title or source.title + (f" ({more})" if more else "")).split())
    why = class_name_error(title)
    if why:
        raise InvalidDatasetError(
            f"A data set cannot be called {quote(title)}: it {why.replace(': rename the folder', '')}."
        )
    if size not in IMAGE_SIZES:
        raise InvalidDatasetError(f"Pictures are made {', '.join(map(str, IMAGE_SIZES))} pixels wide, not {size}.")
    if source.needs == "download":
        other = "" if size == source.size and fit == source.fit else f"{size}-{fit}"
        name = "-".join(filter(None, (source.id, slug(more), other)))
    else:
        draft = ImportDatasetSpec(
            dataset="x", title="x", source=source.id, options=_content(answers), size=size, fit=fit
        )
        mark = fingerprint(draft)[:6] if source.needs == "upload" else secrets.token_hex(3)
        name = f"{slug(title) or source.id}-{mark}"
    if name in datasets.cards():
        raise InvalidDatasetError(f"{datasets.card(name).title} is there already: choose it, or remove it first.")
    return ImportDatasetSpec(dataset=name, title=title, source=source.id, options=answers, size=size, fit=fit)


def title_from_filename(filename: str) -> str:
    """A title from a file's name, without what a title cannot hold."""
    stem = "".join(letter for letter in Path(filename).stem[:80] if class_name_error(f"x{letter}x") is None)
    return " ".join(stem.replace("_", " ").split()) or "My pictures"


def _content(options: dict[str, str | int]) -> dict[str, str | int]:
    """The answers with uploads named by their content alone, however often they were sent."""
    return {name: str(value).partition("-")[0] if name == "upload" else value for name, value in options.items()}
