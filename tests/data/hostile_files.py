"""Checkpoints made to do harm, each as the bytes of a file, with a part of its refusal."""

import io
import json
import struct
import zipfile
from pathlib import Path

import torch


class Canary:
    """A pickle that runs a command when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        import os

        return os.system, (f"touch {self.target}",)


def saved(value: object, **how: object) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, **how)  # type: ignore[arg-type]
    return buffer.getvalue()


def good() -> dict[str, torch.Tensor]:
    return {"weight": torch.ones(20, 30), "bias": torch.zeros(20)}


def zipped_again(data: bytes, more: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """The same archive, its entries written anew, with further ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", how) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
        root = old.namelist()[0].partition("/")[0]
        for name, content in more.items():
            new.writestr(f"{root}/{name}", content)
    return buffer.getvalue()


def safetensors(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def lying_zip(data: bytes) -> bytes:
    """An archive whose directory claims that its first entry has 4 GB."""
    at = data.index(b"PK\x01\x02")
    return data[: at + 20] + struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0) + data[at + 28 :]


def overlapping(data: bytes) -> bytes:
    """An archive whose second entry lies where the first one does."""
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    return data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]


def script() -> bytes:
    """A TorchScript archive has code beside its weights."""
    return zipped_again(saved(good()), {"code/__torch__.py": b"class M: pass", "constants.pkl": b"\x80\x02)."})


ONE = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}

BY_HEADER = {
    "a text": (b"<script>alert(1)</script>", "not a checkpoint"),
    "nothing": (b"", "not a checkpoint"),
    "an old pickle": (b"\x80\x02}q\x00.", "a pickle, but not one of torch.save"),
    "TorchScript": (script(), "TorchScript"),
    "a bomb": (zipped_again(saved({"w": torch.zeros(1_000_000)}), {}, zipfile.ZIP_DEFLATED), "compressed"),
    "a zip that claims 4 GB": (lying_zip(saved(good())), "claims to contain"),
    "entries over one another": (overlapping(saved(good())), "overlap|claims to contain"),
    "names that climb": (zipped_again(saved(good()), {"../../evil": b"x"}), "outside the archive"),
    "many entries": (zipped_again(saved(good()), {f"data/x{n}": b"" for n in range(20_001)}), "at most 20,000"),
    "the beginning of a zip": (b"PK\x03\x04", "cut short"),
    "cut short": (saved(good())[:-200], "cut short"),
    "safetensors of 20 GB": (
        safetensors({"w": {"dtype": "F32", "shape": [5_000_000_000], "data_offsets": [0, 20_000_000_000]}}),
        "claim more than there is",
    ),
    "a header of 2^60 bytes": (struct.pack("<Q", 2**60) + b"{}", "header claims"),
    "10^12 elements": (
        safetensors({"w": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 8]}}, bytes(8)),
        "header cannot be read",
    ),
    "a hole": (safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}, bytes(16)), "do not fill"),
    "safetensors cut short": (safetensors(ONE, bytes(4)), "do not fill"),
    "a name twice": (safetensors(b'{"w":{},"w":{}}'), "header cannot be read"),
    "a deep header": (safetensors(b"{" + b'"a":[' * 100_000 + b"]" * 100_000 + b"}"), "header cannot be read"),
    "many empty tensors": (
        safetensors({f"w{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(20_001)}),
        "at most 20,000",
    ),
    "a long name": (safetensors({"x" * 600: ONE["w"]}, bytes(8)), "header cannot be read"),
}
"""What the first and last bytes give away."""


def wide() -> torch.Tensor:
    """One number that claims to be 10^12."""
    return torch.zeros(1).expand(10**12)


BY_CONTENT = {
    "one number that claims to be many": (lambda: {"w": wide()}, "malicious"),
    "many views of one tensor": (lambda: dict.fromkeys("abcdefgh", torch.zeros(100)), "larger than the file"),
    "NaN": (lambda: {"w": torch.tensor([1.0, float("nan")])}, "w contains values that are not finite"),
    "infinity": (lambda: {"w": torch.tensor([1.0, float("inf")])}, "not finite"),
    "sparse": (lambda: {"w": torch.eye(3).to_sparse()}, "not a plain tensor"),
    "complex": (lambda: {"w": torch.zeros(2, dtype=torch.complex64)}, "not a plain tensor"),
    "of no device": (lambda: {"w": torch.zeros(2, device="meta")}, "not a plain tensor"),
    "a list": (lambda: [torch.zeros(2)], "maps names to tensors"),
    "numbers for names": (lambda: {1: torch.zeros(2)}, "No weights were found"),
    "nothing": (dict, "No weights were found"),
    "wrapped seven times": (lambda: {"model": {"model": {"model": {"model": {"w": torch.zeros(2)}}}}}, "too deep"),
}
"""What only loading gives away, by the function that makes it."""
