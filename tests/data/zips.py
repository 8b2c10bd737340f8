"""Zips of class folders, valid and hostile ones."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


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


def write(path: Path, members: Mapping[str, bytes | None], how: int = zipfile.ZIP_STORED) -> Path:
    """A zip of these members; None makes a folder."""
    with zipfile.ZipFile(path, "w", how) as file:
        for name, data in members.items():
            if data is None:
                file.mkdir(name)
            else:
                file.writestr(named(name), data, compress_type=how)
    return path


def named(name: str) -> zipfile.ZipInfo:
    """A member with exactly this name: the library would mend some of them."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info
