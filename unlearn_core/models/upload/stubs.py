"""Stubs: empty objects that stand in for everything in a checkpoint that is neither a tensor nor a plain container.

Only `load_worker`, in its sandboxed process, makes stubs. Nothing of a stub comes from the code that a file names.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.header_checks import MAX_NAME_LENGTH, MAX_TENSORS, SAVE_HINT


class _EqualToDict(type):
    """Lets torch's reader set the items of a stub: it compares the type of its target with `dict` before."""

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is dict

    __hash__ = type.__hash__


class Stub(list, metaclass=_EqualToDict):
    """Stands in for a class or function that a checkpoint names, and for whatever that would make.

    It takes all arguments, items and states. Of these it stores what has names, and does nothing with it.
    """

    entries: dict[Any, Any]

    def __new__(cls, *given: Any) -> "Stub":
        """Makes one, whatever the arguments: torch's reader may call only this, and not `__init__`."""
        made = super().__new__(cls)
        made.entries = {}
        for state in given:
            made.__setstate__(state)
        return made

    def __init__(self, *given: Any) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        """Stores a state with names; that of a class with slots is a pair of such."""
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.entries.update(part)

    def __setitem__(self, name: Any, value: Any) -> None:
        self.entries[name] = value

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


def referenced_class(_kind: object, stub: object, _file: object, _source: object) -> object:
    """The class of a module, of the four things by which the legacy format refers to it."""
    return stub


def as_mapping(value: object) -> Mapping[Any, Any] | None:
    """What a value in a checkpoint maps names to: a module to its tensors, as its state dict does; None if nothing."""
    if isinstance(value, Stub):
        return _state_dict(value) if _is_module(value) else value.entries
    return value if isinstance(value, Mapping) else None


def _is_module(value: object) -> bool:
    children = ("_parameters", "_buffers", "_modules")
    return isinstance(value, Stub) and all(isinstance(value.entries.get(name), dict) for name in children)


def _state_dict(module: Stub) -> dict[str, Tensor]:
    """The parameters and persistent buffers of a module and its children, in the order of torch's `state_dict`.

    Modules of early PyTorch do not say which buffers are persistent; all of theirs are.
    """
    found: dict[str, Tensor] = {}
    waiting, seen = [("", module)], 0
    while waiting:
        prefix, one = waiting.pop()
        seen += 1
        if seen > MAX_TENSORS or len(prefix) > MAX_NAME_LENGTH:
            raise InvalidCheckpointError(f"Its modules are nested too deep. {SAVE_HINT}")
        passing = one.entries.get("_non_persistent_buffers_set")
        passing = passing if isinstance(passing, set) else set()
        buffers = {name: value for name, value in one.entries["_buffers"].items() if name not in passing}
        for name, value in (one.entries["_parameters"] | buffers).items():
            if isinstance(value, Tensor):
                found[f"{prefix}{name}"] = value
        inner = [(f"{prefix}{name}.", child) for name, child in one.entries["_modules"].items() if _is_module(child)]
        waiting += reversed(inner)
    return found
