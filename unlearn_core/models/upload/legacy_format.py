"""PyTorch's legacy format, of before 1.6: some pickles in a row, and then the numbers of all tensors.

Source: torch.serialization._legacy_save.
"""

import io
import pickletools
from collections.abc import Iterator
from typing import Any

from unlearn_core.models.upload.header_checks import MAX_HEADER_BYTES

PICKLES = 5
"""A magic number, the version, the machine, what was saved, and the order of the tensors."""

_PUT, _GET = ("BINPUT", "LONG_BINPUT"), ("BINGET", "LONG_BINGET")


def without_sources(data: bytes, function: str) -> bytes:
    """The same file, its first mention of each class of a module replaced.

    In this format it is a reference to ("module", class, source file, source code), which torch's reader refuses. It
    becomes a call of `function`, "module.name", with these four.
    """
    module, _, name = function.rpartition(".")
    asked = f"c{module}\n{name}\n".encode()
    pieces, end = [], 0
    for start, reference in _references(data[:MAX_HEADER_BYTES]):
        pieces += [data[end:start], asked, data[start:reference], b"R"]
        end = reference + 1
    return b"".join([*pieces, data[end:]]) if pieces else data


def _references(data: bytes) -> Iterator[tuple[int, int]]:
    """Where such a tuple begins, and where it becomes a reference."""
    file = io.BytesIO(data)
    for _ in range(PICKLES):
        operations: Iterator[tuple[Any, Any, Any]] = pickletools.genops(file)
        marks: list[tuple[int, list[str]]] = []  # where each begins, and its first text
        texts: dict[int, str] = {}
        text, begun = "", None
        for operation, argument, place in operations:
            if operation.name in _PUT:
                texts[argument] = text
                continue
            if operation.name == "BINPERSID" and begun is not None:
                yield begun, place
            begun, text = None, str(texts.get(argument, "") if operation.name in _GET else argument)
            if operation.name == "MARK":
                marks.append((place, []))
                continue
            if pickletools.markobject in operation.stack_before and marks:
                start, inner = marks.pop()
                begun = start if operation.name == "TUPLE" and inner[:1] == ["module"] else None
            if marks and not marks[-1][1]:
                marks[-1][1].append(text)
