"""Checkpoints as training scripts write them, and pickles written opcode by opcode."""

import argparse
import collections
import datetime
import decimal
import enum
import functools
import io
import pickletools
import types
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.data.hostile_files import saved
from unlearn_core.models.upload import header_checks, load_worker


class Color(enum.Enum):
    RED = 1


class AttributeDict(dict):
    """A dict that also has attributes, as configuration libraries have it."""


class ItemList(list):
    """A list of a class of its own."""


class Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 3


class Meter:
    """An average over the last values, as training scripts log it."""

    def __init__(self) -> None:
        self.values = collections.deque([0.1, 0.2], maxlen=20)


class Net(nn.Module):
    """A classifier with all that a module can have: a child, shared weights, None, and buffers of both kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.GELU())
        self.head = nn.Linear(4, 2)
        self.same = self.head
        self.activation = nn.functional.relu
        self.register_buffer("scale", torch.full((1,), 2.0))
        self.register_buffer("passing", torch.zeros(3), persistent=False)
        self.register_parameter("none", None)


BESIDE: dict[str, Any] = {
    "a numpy scalar": np.float64(0.9),
    "a numpy integer": np.int64(3),
    "a numpy array": np.ones((2, 3)),
    "a numpy type": np.dtype("float32"),
    "a numpy generator": np.random.default_rng(0),
    "the state of numpy": np.random.RandomState(0).get_state(),
    "argparse.Namespace": argparse.Namespace(lr=0.1, out=Path("x")),
    "a path": Path("/data/x"),
    "a posix path": PurePosixPath("x"),
    "a defaultdict": collections.defaultdict(list, {"loss": [1.0]}),
    "a Counter": collections.Counter("abca"),
    "a deque": collections.deque([1, 2], maxlen=3),
    "an enum": Color.RED,
    "keys that are no texts": {Color.RED: 1, Path("a"): 2, (1, 2): 3},
    "a dict of a class": AttributeDict(lr=0.1),
    "a list of a class": ItemList([1, 2]),
    "an object with slots": Slotted(),
    "an object": Meter(),
    "a namespace": types.SimpleNamespace(lr=0.1),
    "a partial": functools.partial(Slotted),
    "a date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "a decimal": decimal.Decimal("0.1"),
    "sets": [{1, 2}, frozenset("ab")],
    "other plain values": [2**70, 1 + 2j, b"bytes", bytearray(b"bytes"), None, True, ..., range(3)][:6],
    "values of torch": [torch.device("cpu"), torch.float32, torch.Size([1]), torch.get_rng_state()],
    "a function": nn.functional.gelu,
    "a class": Meter,
}
"""What stands beside weights in the checkpoints of training scripts."""

LEGACY = {"_use_new_zipfile_serialization": False}
FORMATS: dict[str, dict[str, Any]] = {"zip": {}, "legacy": LEGACY}
"""How torch.save is called for each format."""


def loaded(data: bytes, folder: Path, entry: str = "") -> dict[str, Any]:
    """What `receive.convert` returns, but in this process; "tensors" are the tensors themselves."""
    (folder / "given").write_bytes(data)
    job = {"source": str(folder / "given"), "target": str(folder / "plain"), "entry": entry}
    found = load_worker.convert(job | {"kind": header_checks.check_header(folder / "given")}, None)  # type: ignore[arg-type]
    return found | {"tensors": load_worker.load_file(folder / "plain")}


def text(value: str) -> bytes:
    """A text in a pickle."""
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def named(module: str, name: str) -> bytes:
    """A class or function in a pickle."""
    return f"c{module}\n{name}\n".encode()


def called(module: str, name: str, *given: str) -> bytes:
    """A call of it in a pickle, with texts."""
    return named(module, name) + b"(" + b"".join(map(text, given)) + b"tR"


def beside_weights(more: bytes, data: bytes) -> bytes:
    """A checkpoint of torch.save whose weights lie in "state_dict", with the result of these opcodes beside them."""
    is_zip = data.startswith(b"PK")
    places = [0, *_ends(data)] if not is_zip else []
    body = zipped_pickle(data) if is_zip else data[places[3] : places[4]]
    body = b"\x80\x02}(" + text("state_dict") + body[2:-1] + text("more") + more + b"u."
    return with_pickle(data, body) if is_zip else data[: places[3]] + body + data[places[4] :]


def with_pickle(data: bytes, body: bytes) -> bytes:
    """A zip of torch.save with another pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, body if entry.filename.endswith("/data.pkl") else old.read(entry))
    return buffer.getvalue()


def in_other_pickle(more: bytes, number: int) -> bytes:
    """A legacy checkpoint in which these opcodes are the pickle of this number, of five."""
    data = saved({"w": torch.ones(2, 2)}, **LEGACY)
    places = [0, *_ends(data)]
    return data[: places[number]] + b"\x80\x02" + more + b"." + data[places[number + 1] :]


def zipped_pickle(data: bytes) -> bytes:
    """The pickle in a zip of torch.save."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith("/data.pkl"))


def _ends(data: bytes) -> list[int]:
    """Where the five pickles of a legacy checkpoint end."""
    file, ends = io.BytesIO(data), []
    for _ in range(5):
        for _ in pickletools.genops(file):
            pass
        ends.append(file.tell())
    return ends
