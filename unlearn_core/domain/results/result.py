"""The base of all results, and how their fields are stored: plain values as JSON, arrays beside them.

Reports of former releases stay readable: a field whose stored name is another one has that as its alias, and a field
that came later has a default.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from math import isnan, nan
from typing import Annotated, Any, ClassVar, NamedTuple, Self, cast

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class ReportPart(NamedTuple):
    """A result as it is stored: `facts` are plain JSON values, `arrays` hold larger data."""

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def checksum(self) -> str:
        """Return a checksum of all values."""
        found = sha256(json.dumps(self.facts, sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


class Stored(NamedTuple):
    """The name under which an array is stored; in a field with one array per key, "{}" stands for the key."""

    pattern: str

    def key(self, name: str) -> str | None:
        """Return the key in a stored name ("" in a pattern without keys), or None if it does not match."""
        before, keyed, after = self.pattern.partition("{}")
        if not keyed:
            return "" if name == self.pattern else None
        found = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", name)
        return found[1] if found else None


def _check_array(value: object) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise ValueError("This is not an array.")
    return cast("np.ndarray", value)


Array = Annotated[np.ndarray, BeforeValidator(_check_array)]
"""Needs `Stored`, as in `epsilons: Annotated[Array, Stored("after")]`."""
ArrayByKey = Mapping[str, Array]
"""One array per key, such as a model. Needs `Stored` with "{}", and a default if there may be none."""
Number = Annotated[
    float,
    BeforeValidator(lambda value: nan if value is None else value),
    PlainSerializer(lambda value: None if isnan(value) else value, when_used="always"),
]
"""A number that is nan where it is undefined, such as an accuracy on no images; it is stored as null."""


class Record(BaseModel):
    """A group of values inside a result. It is frozen."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


class Result(Record):
    """What one measurement found. Subclasses name the part of the report that stores them:

    class BrightnessResult(Result, part="brightness"):
        mean: Mapping[str, float]

    With `root`, the stored facts are the value of that field, the only plain one, instead of an object that has it.
    """

    part: ClassVar[str]
    root: ClassVar[str | None]

    def __init_subclass__(cls, *, part: str, root: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.part, cls.root = part, root

    @classmethod
    def _array_fields(cls) -> dict[str, Stored]:
        """Return how the fields that hold arrays are stored."""
        return {
            name: note
            for name, field in cls.model_fields.items()
            for note in field.metadata
            if isinstance(note, Stored)
        }

    @classmethod
    def is_in(cls, parts: Mapping[str, ReportPart]) -> bool:
        """Return whether the parts of a report have this result, even a damaged one."""
        return cls.part in parts

    def add_to(self, parts: Mapping[str, ReportPart]) -> dict[str, ReportPart]:
        """Return the parts of a report with this result, in place of an earlier one."""
        return {**parts, self.part: self.to_part()}

    def to_part(self) -> ReportPart:
        """Return the stored form."""
        fields = self._array_fields()
        # Fields that were left at their defaults are not stored: an older report stays as it was written.
        facts = self.model_dump(mode="json", by_alias=True, exclude=set(fields), exclude_unset=True)
        arrays: dict[str, np.ndarray] = {}
        for name, stored in fields.items():
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                arrays[stored.pattern] = value
            elif value is not None:
                arrays |= {stored.pattern.format(key): array for key, array in value.items()}
        return ReportPart(facts if self.root is None else facts[self.root], arrays)

    @classmethod
    def from_part(cls, part: ReportPart) -> Self:
        """Return the result that a part stores. Raises pydantic.ValidationError if its values do not fit."""
        values: dict[str, Any] = dict(part.facts) if cls.root is None else {cls.root: part.facts}
        fields = cls._array_fields()
        for stored_name, array in part.arrays.items():
            keys = {name: key for name, stored in fields.items() if (key := stored.key(stored_name)) is not None}
            if keys:
                # The pattern that leaves the shortest key is the most specific one: "{}_guess" before "{}".
                name = min(keys, key=lambda name: len(keys[name]))
                if "{}" in fields[name].pattern:
                    values.setdefault(name, {})[keys[name]] = array
                else:
                    values[name] = array
        return cls.model_validate(values)
