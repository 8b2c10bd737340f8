"""Arrays of numbers as one npz file that anyone may hand over: read without pickle, and checked before it is read.

Nothing in the file is compressed, so no array can be larger than the file itself.
"""

import io
import zipfile
from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.lib import format as npy

from unlearn_core.domain.errors import StoreError

MAX_ARRAYS = 200


def arrays_to_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the file; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    by_row = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    np.savez(buffer, allow_pickle=False, **by_row)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def arrays_from_bytes(data: bytes) -> dict[str, np.ndarray]:
    """Return the arrays. Raises StoreError for a file that `arrays_to_bytes` does not write."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS or sum(entry.file_size for entry in entries) > len(data):
                raise ValueError("it claims to hold more than its size allows")
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("it is compressed")
            return {entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in entries}
    # A zip that is encrypted raises RuntimeError, and one that needs a newer version NotImplementedError.
    except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile) as problem:
        raise StoreError(f"The arrays cannot be read: {problem}.") from None


def _array(data: bytes) -> np.ndarray:
    """Return an array of numbers. Raises ValueError for any other content, or if its size is not what it claims."""
    file = io.BytesIO(data)
    if npy.read_magic(file) != (1, 0):
        raise ValueError("an array has an unknown format")
    shape, by_column, dtype = npy.read_array_header_1_0(file)
    if by_column or dtype.kind not in "iuf" or prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("an array does not hold plain numbers, or not as many as it claims")
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape)
