"""Zips of class folders, valid and hostile ones, and what is read from them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from unlearn_core.data.ingest import decode_worker
from unlearn_core.data.sandbox import JobContext
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits

MOST = UploadLimits()
IN_THIS_PROCESS = JobContext(on_progress=lambda *progress: None, limit_file_size=lambda size: None)


def job(file: Path, folder: Path, **more: object) -> dict[str, Any]:
    """What the process that decodes is asked to do with a zip."""
    folder.mkdir(exist_ok=True)
    ways = {"size": 16, "fit": "crop", "encoding": "utf-8", "as_classes": False}
    return {"zip": str(file), "out": str(folder), "room": 10**9, "threads": 2} | ways | more


def found(file: Path, most: UploadLimits = MOST, **more: object) -> dict[str, Any]:
    """What is read from a zip, by the child's own code but in this process."""
    return cast("dict[str, Any]", decode_worker.prepare(job(file, file.parent / "out", **more), most, IN_THIS_PROCESS))


def refusal(file: Path, most: UploadLimits = MOST, **more: object) -> str:
    """The sentence by which a zip is refused; nothing else than the zip and the out folder may be there afterwards."""
    with pytest.raises(InvalidDatasetError) as refused:
        found(file, most, **more)
    assert {path.name for path in file.parent.iterdir()} == {file.name, "out"}
    sentence = str(refused.value)
    assert sentence.isprintable() and sentence.endswith(".") and len(sentence) < 600, sentence
    return sentence


def stored(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images (N, 16, 16, 3) and labels (N,) that were read from a zip."""
    images, labels = (np.load(file.parent / "out" / f"{name}.npy", allow_pickle=False) for name in ("images", "labels"))
    return images, labels


def counts(got: dict[str, Any]) -> tuple[int, int, int]:
    """The sizes of the splits that were read."""
    return got["train"], got["val"], got["test"]


def picture(number: int = 0, *, size: tuple[int, int] = (20, 16), kind: str = "PNG", **how: Any) -> bytes:
    """A small image of noise over a colour, the same for the same number."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8) // 4 + rng.integers(0, 190, 3, np.uint8)
    return encoded(Image.fromarray(pixels), kind, **how)


def encoded(image: Image.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def faces(people: int = 3, each: int = 6, *, top: str = "") -> dict[str, bytes]:
    """A few class folders as a zip holds them."""
    names = ("anna", "ben", "carla", "dora", "emil")[:people]
    return {
        f"{top}{name}/{number}.png": picture(100 * place + number)
        for place, name in enumerate(names)
        for number in range(each)
    }


def png(width: int, height: int, *, bits: int, kind: int, rows: bytes) -> bytes:
    """A PNG of these bytes; `kind` is 0 for grey, 2 for RGB, 4 and 6 for the same with alpha."""
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def deep_png(values: np.ndarray) -> bytes:
    """A PNG with 16 bits per channel of values (H, W) or (H, W, 3 or 4)."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {2: 0, 3: 2, 4: 6}[values.shape[2] if values.ndim == 3 and values.shape[2] == 4 else values.ndim]
    return png(values.shape[1], values.shape[0], bits=16, kind=kind, rows=rows)


def write_named(path: Path, members: Mapping[bytes, bytes]) -> Path:
    """A zip whose names are these bytes, without saying in which encoding."""
    return write(path, {name.decode("cp437"): data for name, data in members.items()}, unmarked=True)


def write(
    path: Path, members: Mapping[str, bytes | None], how: int = zipfile.ZIP_STORED, *, unmarked: bool = False
) -> Path:
    """A zip of these members; None makes a folder. The names of an unmarked one are in cp437, all others in UTF-8."""
    with zipfile.ZipFile(path, "w", how) as file:
        for name, data in members.items():
            if data is None:
                file.mkdir(name)
            else:
                file.writestr((Unmarked if unmarked else named)(name), data, compress_type=how)
    return path


def named(name: str) -> zipfile.ZipInfo:
    """A member with exactly this name: the library would mend some of them."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info


class Unmarked(zipfile.ZipInfo):
    """A member whose name is written in cp437 and not marked as UTF-8, as old zip programs do it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), self.flag_bits & ~0x800
