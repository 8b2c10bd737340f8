"""What a person wants forgotten."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_IMAGES = 100_000

FEW_IMAGES = 64
"""Up to so many single pictures are few: a method must then take care not to learn by heart what it does to them."""

RequestSize = Literal["one class", "several classes", "few pictures", "many pictures"]
"""How large a request is, as far as a method's settings depend on it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ForgetClasses(_Frozen):
    """Whole classes, by their index."""

    kind: Literal["classes"] = "classes"
    classes: tuple[int, ...] = Field(min_length=1)

    @field_validator("classes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


class ForgetImages(_Frozen):
    """Single training pictures, by their position in the data set's training split."""

    kind: Literal["images"] = "images"
    images: tuple[int, ...] = Field(min_length=1, max_length=MAX_IMAGES)

    @field_validator("images")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


Forget = Annotated[ForgetClasses | ForgetImages, Field(discriminator="kind")]


def request_size(forget: Forget) -> RequestSize:
    """How large a request is."""
    if isinstance(forget, ForgetClasses):
        return "one class" if len(forget.classes) == 1 else "several classes"
    return "few pictures" if len(forget.images) <= FEW_IMAGES else "many pictures"


class ForgetRequest(_Frozen):
    """A classifier, the data it was trained on, and what it should forget of it."""

    classifier: str
    dataset: str
    forget: Forget

    def fingerprint(self) -> str:
        """The same for the same request, for ever: golds are found by it."""
        return fingerprint(self)


def fingerprint(value: BaseModel) -> str:
    """A short name for a frozen value: the first 16 hex digits of its canonical JSON's sha256."""
    return hashlib.sha256(value.model_dump_json().encode()).hexdigest()[:16]
