"""Images that people upload for one question: decoded in a sandbox, and stored as pixels of the right size.

An upload is never stored as it came. Its name here is the checksum of its pixels.
"""

import base64
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from unlearn_core.data import sandbox
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.decode_image import UndecodableImageError, decode
from unlearn_core.domain.errors import InvalidDatasetError, InvalidRequestError
from unlearn_core.settings import UploadLimits, limit_hint

FUNCTION = f"{__name__}:decode_upload"
MOST_MB = 20
"""Most MB of an uploaded image: a photograph of a phone has at most half of it."""
MAX_AGE = 24 * 3600.0
"""Seconds after which the next upload removes an image."""
_SECONDS = 10
_ADVICE = "Save it again as PNG or JPEG."


def save(data_dir: Path, file: BinaryIO, *, size: int, limits: UploadLimits) -> str:
    """Store the middle of an uploaded image as (size, size, 3) uint8, and return its name.

    Raises InvalidRequestError, with a reason, if it is not an image that can be used.
    """
    _sweep(data_dir)
    stored = sum(path.stat().st_size for path in (data_dir / "own-images").glob("*"))
    if stored + size * size * 3 > limits.most_uploads_mb * 1_000_000:
        raise InvalidRequestError(
            f"The uploaded images of all visitors take {stored / 1e6:,.0f} MB, and the limit is "
            f"{limits.most_uploads_mb:,} MB. Each is removed after a day: try again later. "
            + limit_hint("most_uploads_mb")
        )
    allowed = limits.model_copy(update={"most_upload_mb": min(MOST_MB, limits.most_upload_mb)})
    job = {"size": size, "most_pixels": limits.most_pixels}
    most = sandbox.Limits(memory=limits.most_memory_mb << 20, seconds=_SECONDS, file_bytes=1 << 20)
    try:
        with upload_store.brief_copy(data_dir, file, allowed) as copy:
            found = sandbox.run(FUNCTION, job | {"file": str(copy)}, most)
    except InvalidDatasetError as problem:  # The file is too large, or too many are waiting.
        raise InvalidRequestError(str(problem)) from None
    except sandbox.SandboxError as problem:
        reasons = {
            "refused": problem.reason,
            "time": f"Decoding this image took longer than {_SECONDS} s, so it was stopped. {_ADVICE}",
            "memory": f"Decoding this image took more memory than allowed. {_ADVICE}",
            "crash": f"The process that decodes this image died ({problem.reason}). {_ADVICE}",
        }
        raise InvalidRequestError(reasons[problem.cause]) from None
    pixels = base64.b64decode(found["pixels"])
    if len(pixels) != size * size * 3:
        raise InvalidRequestError(f"Decoding this image gave another size than {size} pixels. {_ADVICE}")
    name = sha256(pixels)
    atomic_write(stored_path(data_dir, name), pixels)
    return name


def decode_upload(job: dict[str, Any], _context: sandbox.JobContext) -> dict[str, str]:
    """What the sandboxed process does: the pixels of an image file, as base64. Raises InvalidRequestError."""
    warnings.simplefilter("ignore")  # Odd metadata is not used.
    Image.MAX_IMAGE_PIXELS = None  # Sizes are checked by `decode`, and those of JPEGs may be larger.
    data = Path(job["file"]).read_bytes()
    try:
        found = decode(data, size=job["size"], fit="crop", max_pixels=job["most_pixels"])
    except UndecodableImageError as problem:
        raise InvalidRequestError(f"This file {problem}. {_ADVICE}") from None
    return {"pixels": base64.b64encode(found.pixels.tobytes()).decode()}


def read(data_dir: Path, name: str, *, size: int) -> np.ndarray:
    """Return a stored image (size, size, 3) uint8. Raises InvalidRequestError if there is none of that size."""
    with suppress(OSError):
        pixels = np.frombuffer(stored_path(data_dir, name).read_bytes(), np.uint8)
        if len(pixels) == size * size * 3:
            return pixels.reshape(size, size, 3)
    raise InvalidRequestError("This uploaded image is no longer stored. Upload it again.")


def delete(data_dir: Path, name: str) -> None:
    """Remove a stored image."""
    stored_path(data_dir, name).unlink(missing_ok=True)


def stored_path(data_dir: Path, name: str) -> Path:
    """Return the file of a stored image."""
    return data_dir / "own-images" / name


def _sweep(data_dir: Path) -> None:
    for old in (data_dir / "own-images").glob("*"):
        with suppress(FileNotFoundError):  # Somebody else removed it.
            if time.time() - old.stat().st_mtime > MAX_AGE:
                old.unlink()
