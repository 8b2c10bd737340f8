"""Check the first and last bytes of a checkpoint before anything loads it: most hostile files are refused here.

Source: the .ZIP format (APPNOTE 6.3.10, sections 4.3.14 to 4.3.16) and safetensors' format, both read without torch.
"""

import json
import math
import re
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Literal

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import foreign_formats

MAX_HEADER_BYTES, MAX_TENSORS, MAX_NAME_LENGTH = 8 << 20, 20_000, 512
"""Limits: bytes of the header, number of tensors, characters of a name."""

DTYPE_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes per value of the data types that are accepted."""

SAVE_HINT = (
    "Save the plain weights and upload those: `safetensors.torch.save_file(model.state_dict(), 'model.safetensors')`, "
    "or `torch.save(model.state_dict(), 'model.pt')`."
)

LEGACY_START = re.compile(
    rb"\x80.(\x95.{8})?\x8a\x0a" + re.escape(0x1950A86A20F9469CFC6C.to_bytes(10, "little")), re.DOTALL
)
"""How PyTorch's legacy format begins: a pickle, of any protocol, of torch.serialization.MAGIC_NUMBER."""

UNREADABLE = (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, struct.error)
"""What zipfile raises for a damaged archive."""

CheckpointKind = Literal["safetensors", "pt", "legacy"]


def check_header(path: Path) -> CheckpointKind:
    """The kind of a checkpoint, whatever its name. Raises InvalidCheckpointError, with a reason, if it is none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(foreign_formats.READ_BYTES)
        if start[:4] == b"PK\x03\x04":
            _check_directory(file, size)
            _check_entries(path, size)
            return "pt"
        if start[8:9] == b"{":
            file.seek(0)
            _check_tensors(file, size)
            return "safetensors"
    if LEGACY_START.match(start):
        return "legacy"
    what = foreign_formats.describe(start)
    reason = f"{what}." if what else f"it is neither safetensors nor what torch.save writes. {SAVE_HINT}"
    raise InvalidCheckpointError(f"This file is not a checkpoint: {reason}")


def _check_tensors(file: BinaryIO, size: int) -> None:
    """Checks a safetensors header: its length, then JSON with the type, shape and position of every tensor."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise InvalidCheckpointError(
            f"Its header claims {length:,} bytes, and {min(MAX_HEADER_BYTES, max(size - 8, 0)):,} are possible: the "
            "file is damaged or malicious."
        )
    try:
        header = json.loads(file.read(length), object_pairs_hook=_once)
        tensors = {name: facts for name, facts in header.items() if name != "__metadata__"}
        places = sorted(_place(name, facts) for name, facts in tensors.items())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise InvalidCheckpointError(
            f"Its header cannot be read ({type(problem).__name__}): the file is damaged."
        ) from None
    if not 0 < len(tensors) <= MAX_TENSORS:
        raise InvalidCheckpointError(
            f"It contains {len(tensors):,} tensors; a model has some, and at most {MAX_TENSORS:,} are accepted."
        )
    ends = [0, *(stop for _, stop in places)]
    if any(start != before for (start, _), before in zip(places, ends, strict=False)) or ends[-1] != size - 8 - length:
        raise InvalidCheckpointError(
            "Its tensors do not fill the file, or claim more than there is: it is cut short or damaged."
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _place(name: str, facts: dict[str, Any]) -> tuple[int, int]:
    """Where a tensor begins and ends; raises ValueError if its length does not match its shape."""
    shape, (start, stop) = facts["shape"], facts["data_offsets"]
    whole = all(type(number) is int and number >= 0 for number in (*shape, start, stop))
    if len(name) > MAX_NAME_LENGTH or facts["dtype"] not in DTYPE_BYTES or not whole or len(shape) > 8:
        raise ValueError("not a tensor of a model")
    if math.prod(shape) * DTYPE_BYTES[facts["dtype"]] != stop - start:
        raise ValueError("a shape that does not fit")
    return start, stop


def _check_directory(file: BinaryIO, size: int) -> None:
    """Checks the end of a zip: the length of its directory, before it is read."""
    tail = _at(file, max(0, size - 65_557), 65_557)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise InvalidCheckpointError("The file is cut short: the end that torch.save writes is missing. Copy it again.")
    entries, length = struct.unpack("<HI", tail[at + 10 : at + 16])
    locator = tail[max(0, at - 20) : at]
    if locator[:4] == b"PK\x06\x07":
        (where,) = struct.unpack("<Q", locator[8:16])
        record = _at(file, where, 56) if where < size else b""
        if len(record) == 56 and record[:4] == b"PK\x06\x06":
            entries, length = struct.unpack("<QQ", record[32:48])
    if entries > MAX_TENSORS or length > MAX_HEADER_BYTES:
        raise InvalidCheckpointError(f"It contains {entries:,} entries; at most {MAX_TENSORS:,} are accepted.")


def _check_entries(path: Path, size: int) -> None:
    """Checks the entries of a zip: one pickle, no code, uncompressed, not overlapping, not larger than the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except UNREADABLE as problem:
        raise InvalidCheckpointError(
            f"It cannot be read ({type(problem).__name__}): it is damaged. Copy it again."
        ) from None
    pickle = _only_pickle([entry.filename for entry in entries])
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
        raise InvalidCheckpointError(
            "Its entries are compressed, which torch.save never does: unpacked, they could have any size."
        )
    claimed = sum(entry.file_size for entry in entries)
    if claimed > size or any(entry.compress_size != entry.file_size for entry in entries):
        raise InvalidCheckpointError(
            f"It claims to contain {claimed:,} bytes and has {size:,}: it is damaged or malicious."
        )
    ends = [entry.header_offset + 30 + len(entry.filename) + entry.compress_size for entry in entries]
    if any(end > after.header_offset for end, after in zip(ends, entries[1:], strict=False)) or max(ends) > size:
        raise InvalidCheckpointError("Its entries overlap: it is damaged or malicious.")
    if any(entry.filename == pickle and entry.file_size > MAX_HEADER_BYTES for entry in entries):
        raise InvalidCheckpointError(f"Its pickle is larger than any that torch.save writes. {SAVE_HINT}")


def _only_pickle(names: list[str]) -> str:
    """The name of the entry that says what the tensors are; by the names in it, a zip may be something else."""
    inner = [name.partition("/")[2].lower() for name in names]
    if any(name.startswith("code/") or name == "constants.pkl" for name in inner):
        raise InvalidCheckpointError(
            f"This is a TorchScript archive, which contains code and not only weights. {SAVE_HINT}"
        )
    pickles = [name for name, end in zip(names, inner, strict=True) if end == "data.pkl"]
    if len(pickles) != 1:
        what = foreign_formats.describe_zip(names)
        reason = f"This file is not a checkpoint: {what}." if what else f"It was not written by torch.save. {SAVE_HINT}"
        raise InvalidCheckpointError(reason)
    if any(
        len(name) > MAX_NAME_LENGTH or name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names
    ):
        raise InvalidCheckpointError("Its entries have paths outside the archive: it was not written by torch.save.")
    return pickles[0]


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)
