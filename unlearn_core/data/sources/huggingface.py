"""Image data sets of the Hugging Face Hub by name, if the library `datasets` is installed.

Images are written to a zip as the bytes that are stored, and decoded by the sandboxed process that decodes uploads:
what is published there is not trusted either.
"""

import importlib
import importlib.util
import os
import re
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from unlearn_core.data.ingest.source import ImportContext, Option, OptionValues, Source, ZipData
from unlearn_core.domain.errors import InvalidDatasetError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_LEAST = 4
_PARTS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def read(options: OptionValues, context: ImportContext) -> ZipData:
    """The splits called train, validation and test, as a zip of class folders."""
    name = str(options["name"]).strip()
    if _NAME.fullmatch(name) is None or ".." in name:
        raise InvalidDatasetError("The name of a data set on the Hub is owner/name, for example uoft-cs/cifar10.")
    if _missing(None):
        raise InvalidDatasetError(_missing(None))
    if Path(name).exists():
        raise InvalidDatasetError(
            f"{name} is a local folder, which the library would load instead. Choose another name."
        )
    datasets = importlib.import_module("datasets")
    context.on_progress("download", 0, 1)
    try:
        found = datasets.load_dataset(name, str(options["config"]) or None)
    except Exception as problem:  # noqa: BLE001 (the library passes on any error of its dependencies)
        raise InvalidDatasetError(
            f"{name} could not be loaded from huggingface.co ({str(problem)[:120]}). Without internet, put it into "
            "the library's cache (HF_HOME), or export it as class folders and upload these."
        ) from None
    parts = {split: found[split] for split in found if split in _PARTS}
    if not any(_PARTS[split] == "train" for split in parts):
        raise InvalidDatasetError(
            f"{name} has no split called train; it has {', '.join(map(str, found))[:80]}. Choose another."
        )
    handle, path = tempfile.mkstemp(suffix=".zip", dir=_made(context.data_dir / "uploads"))
    os.close(handle)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
            for split, rows in parts.items():
                _add(file, _PARTS[split], rows, datasets, context)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise
    return ZipData(Path(path))


def _add(file: zipfile.ZipFile, part: str, rows: Any, library: Any, context: ImportContext) -> None:
    """Adds a split to the zip, every image as its stored bytes."""
    image, label = _columns(rows.features, library)
    names = rows.features[label].names
    rows = rows.cast_column(image, library.Image(decode=False))
    for number in range(len(rows)):
        row = rows[number]
        data = row[image]["bytes"] or Path(row[image]["path"]).read_bytes()
        own = re.sub(r"[/\\]", " or ", names[row[label]])
        file.writestr(f"{part}/{own}/{number}.png", data)  # The decoder goes by the bytes, not by the suffix.
        context.on_progress("collect", number + 1, len(rows))


def _columns(features: Any, library: Any) -> tuple[str, str]:
    """The first column of images, and the first of classes with names."""
    image = next((name for name, kind in features.items() if isinstance(kind, library.Image)), None)
    label = next((name for name, kind in features.items() if isinstance(kind, library.ClassLabel)), None)
    if image is None or label is None:
        raise InvalidDatasetError(
            "This data set needs both a column of images and one of named classes. Choose another."
        )
    return image, label


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _missing(root: Path | None) -> str:
    if importlib.util.find_spec("datasets") is None:
        return "This needs the library `datasets`, which is not installed here: `pip install datasets`."
    try:
        old = int(metadata.version("datasets").split(".")[0]) < _LEAST
    except (metadata.PackageNotFoundError, ValueError):
        old = True
    # Older versions run a script of the data set.
    return f"This needs the library `datasets` in version {_LEAST} or newer." if old else ""


SOURCE = Source(
    id="huggingface",
    title="Hugging Face Hub",
    summary="Any image data set of the Hub by name, with a column of images and one of named classes.",
    needs="library",
    size=64,
    natural=False,
    licence="See its page on huggingface.co.",
    origin="huggingface.co",
    read=read,
    options=(
        Option("name", "Name", "As on the Hub: owner/name.", "", placeholder="uoft-cs/cifar10"),
        Option("config", "Configuration", "Only where the data set has several.", ""),
    ),
    unavailable_reason=_missing,
    variant_label=lambda options: str(options["name"]),
)
