"""Image data sets of the Hugging Face Hub by their name, where the library `datasets` is installed.

Pictures are taken as the bytes that they are stored as, put into a zip, and opened by the limited process that opens
uploads: whoever publishes a data set there is a stranger too.
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
    """The splits that are called train, validation and test, as a zip of class folders."""
    name = str(options["name"]).strip()
    if _NAME.fullmatch(name) is None or ".." in name:
        raise InvalidDatasetError("A data set of the Hub is named owner/name, as in uoft-cs/cifar10.")
    if _missing(None):
        raise InvalidDatasetError(_missing(None))
    if Path(name).exists():
        raise InvalidDatasetError(
            f"{name} is a folder here, which the library would take instead. Choose another name."
        )
    datasets = importlib.import_module("datasets")
    context.on_progress("download", 0, 1)
    try:
        found = datasets.load_dataset(name, str(options["config"]) or None)
    except Exception as problem:  # noqa: BLE001 (the library raises whatever its many parts do)
        raise InvalidDatasetError(
            f"{name} could not be loaded from huggingface.co ({str(problem)[:120]}). Without internet, have it in the "
            "library's own cache (HF_HOME), or export it as class folders and upload these."
        ) from None
    parts = {split: found[split] for split in found if split in _PARTS}
    if not any(_PARTS[split] == "train" for split in parts):
        raise InvalidDatasetError(
            f"{name} has no split called train, but {', '.join(map(str, found))[:80]}. Choose another."
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
    """Puts a split into the zip, every picture as its own bytes."""
    image, label = _columns(rows.features, library)
    names = rows.features[label].names
    rows = rows.cast_column(image, library.Image(decode=False))
    for number in range(len(rows)):
        row = rows[number]
        data = row[image]["bytes"] or Path(row[image]["path"]).read_bytes()
        own = re.sub(r"[/\\]", " or ", names[row[label]])
        file.writestr(f"{part}/{own}/{number}.png", data)  # What it really is, its bytes say.
        context.on_progress("collect", number + 1, len(rows))


def _columns(features: Any, library: Any) -> tuple[str, str]:
    """The first column of pictures, and the first of classes with names."""
    image = next((name for name, kind in features.items() if isinstance(kind, library.Image)), None)
    label = next((name for name, kind in features.items() if isinstance(kind, library.ClassLabel)), None)
    if image is None or label is None:
        raise InvalidDatasetError(
            "This data set has not both a column of pictures and one of named classes. Choose another."
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
    # Older ones run a data set's own script.
    return f"This needs the library `datasets` in version {_LEAST} or newer." if old else ""


SOURCE = Source(
    id="huggingface",
    title="Hugging Face Hub",
    summary="Any image data set of the Hub by its name, with a column of pictures and one of named classes.",
    needs="library",
    size=64,
    natural=False,
    licence="As its page on huggingface.co says.",
    origin="huggingface.co",
    read=read,
    options=(
        Option("name", "Name", "As on the Hub, owner first.", "", placeholder="uoft-cs/cifar10"),
        Option("config", "Configuration", "Only where the data set has several.", ""),
    ),
    unavailable_reason=_missing,
    variant_label=lambda answers: str(answers["name"]),
)
