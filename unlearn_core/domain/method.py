"""What an unlearning method is: a card, knobs, and one function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from unlearn_core.domain.params import Params

Kind = Literal["classes", "images"]


class Needs(NamedTuple):
    """Which training pictures a method must be handed; it is handed no others."""

    forget: bool
    retain: bool


class Sizes(NamedTuple):
    """How much there is to do: numbers of training pictures, and of classes that are forgotten and kept."""

    forget: int
    retain: int
    forgotten_classes: int
    kept_classes: int


class Preset(NamedTuple):
    """Knob settings with a name, and why one would take them."""

    title: str
    summary: str
    params: Params


class Paper(NamedTuple):
    """Where a method comes from."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to forget.

    `forget(problem, knobs, track)` changes `problem.net` in place. `passes(knobs, sizes)` says how many pictures go
    forward and backward through the net: what it costs. The first preset is the default.
    """

    id: str
    title: str
    group: str
    summary: str
    idea: str
    fails: str
    paper: Paper
    supports: frozenset[Kind]
    params: type[Params]
    presets: Mapping[str, Preset]
    needs: Callable[[Any], Needs]
    passes: Callable[[Any, Sizes], int]
    forget: Callable[[Any, Any, Any], None]
