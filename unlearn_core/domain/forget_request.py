"""Forget requests: which classes or which training images a classifier should forget."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_IMAGES = 100_000

FEW_IMAGES = 64
"""Up to this many single images are few: methods then easily memorise the images that they train on."""

RequestSize = Literal["one class", "several classes", "few pictures", "many pictures"]
"""The size of a request, as far as a method's hyperparameters depend on it."""

ForgetSetKind = Literal["easy", "memorised", "entangled"]
"""The forget sets by difficulty: the least memorised images, the most memorised, or those with high entanglement."""
FORGET_SET_KINDS: Sequence[ForgetSetKind] = get_args(ForgetSetKind)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ForgetClasses(_Frozen):
    """Whole classes, by index."""

    kind: Literal["classes"] = "classes"
    classes: tuple[int, ...] = Field(min_length=1)

    @field_validator("classes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


class ForgetImages(_Frozen):
    """Single training images, by their position in the data set's training split."""

    kind: Literal["images"] = "images"
    images: tuple[int, ...] = Field(min_length=1, max_length=MAX_IMAGES)

    @field_validator("images")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


Forget = Annotated[ForgetClasses | ForgetImages, Field(discriminator="kind")]


def forgotten_classes(requests: Iterable[Forget]) -> set[int]:
    """The classes that any of these requests forgets."""
    return {label for forget in requests if isinstance(forget, ForgetClasses) for label in forget.classes}


def request_size(forget: Forget) -> RequestSize:
    """The size of a request."""
    if isinstance(forget, ForgetClasses):
        return "one class" if len(forget.classes) == 1 else "several classes"
    return "few pictures" if len(forget.images) <= FEW_IMAGES else "many pictures"


class ForgetRequest(_Frozen):
    """A classifier, the data set it was trained on, and the part of it to forget."""

    classifier: str
    dataset: str
    forget: Forget

    def fingerprint(self) -> str:
        """A hash that equal requests share in all releases; retrained models are found by it."""
        return fingerprint(self)


def fingerprint(value: BaseModel) -> str:
    """A short hash of a frozen value: the first 16 hex digits of the SHA-256 of its canonical JSON."""
    return hashlib.sha256(value.model_dump_json().encode()).hexdigest()[:16]
