"""Find the weights in a loaded checkpoint: the entries that map names to tensors, and the one to take."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.header_checks import MAX_NAME_LENGTH, MAX_TENSORS, SAVE_HINT
from unlearn_core.models.upload.stubs import as_mapping

WRAPPER_KEYS = {
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "weights",
    "params",
    "network",
    "model_state",
    "state",
}
"""The names under which training scripts store the weights beside other things."""

AVERAGED = re.compile(r"(^|[._-])(ema|swa|avg|averaged?|shadow|teacher)([._-]|$)", re.IGNORECASE)
"""What the name of an entry contains if its weights are averages over the steps of training."""

MAX_DEPTH = 3
"""How deep an entry of weights may lie."""


class Entry(NamedTuple):
    """A mapping of names to tensors in a checkpoint."""

    path: str
    """The names that lead to it, joined by dots; "" if it is the whole file."""
    tensors: dict[str, Tensor]
    ignored: list[str]
    """The names of what else it contains."""


def choose_entry(loaded: object, path: str = "") -> tuple[Entry, list[Entry]]:
    """The entry `path` of a checkpoint, or by default that of the plain weights; and all entries, the default first.

    Plain weights go before averaged ones, usual names before others, and then many tensors before few. Raises
    InvalidCheckpointError if there is none.
    """
    entries = _entries(loaded)
    if any(_has_matrix(entry) for entry in entries):  # The others are statistics, or states of random generators.
        entries = [entry for entry in entries if _has_matrix(entry)]
    entries.sort(key=lambda entry: (_is_averaged(entry), not _is_usual(entry), -len(entry.tensors)))
    if not path:
        return entries[0], entries
    for entry in entries:
        if entry.path == path:
            return entry, entries
    known = ", ".join(entry.path or "the whole file" for entry in entries[:10])
    raise InvalidCheckpointError(f"It has no entry {path[:MAX_NAME_LENGTH]} of weights. Its entries are: {known}.")


def _entries(loaded: object) -> list[Entry]:
    found, too_deep = {}, False
    for path, contents in _mappings(loaded):
        if len(path) > MAX_DEPTH:
            too_deep = True
            continue
        tensors = {name: value for name, value in contents.items() if isinstance(value, Tensor)}
        name = ".".join(path)
        if 0 < len(tensors) <= MAX_TENSORS and all(map(_is_name, tensors)) and name not in found:
            ignored = [str(name)[:MAX_NAME_LENGTH] for name in contents if name not in tensors]
            found[name] = Entry(name, tensors, ignored)
    if found:
        return list(found.values())
    if too_deep:
        raise InvalidCheckpointError(f"Its weights are nested too deep. {SAVE_HINT}")
    raise InvalidCheckpointError(f"No weights were found in it: a checkpoint maps names to tensors. {SAVE_HINT}")


def _mappings(loaded: object) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """The mappings in a checkpoint with the names that lead to them, those nearest to the root first."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), loaded)]
    seen = set()  # A file can hold the same mapping in many places, even within itself.
    for path, value in waiting:
        if id(value) in seen:
            continue
        seen.add(id(value))
        mapping = as_mapping(value)
        if mapping is None or "param_groups" in mapping:  # The latter is the state of an optimiser.
            continue
        yield path, mapping
        if len(path) <= MAX_DEPTH:
            waiting += [((*path, name), one) for name, one in mapping.items() if _is_name(name)]


def _is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME_LENGTH


def _has_matrix(entry: Entry) -> bool:
    return any(value.ndim > 1 and value.is_floating_point() for value in entry.tensors.values())


def _is_averaged(entry: Entry) -> bool:
    return bool(AVERAGED.search(entry.path))


def _is_usual(entry: Entry) -> bool:
    return entry.path.rpartition(".")[2] in WRAPPER_KEYS
