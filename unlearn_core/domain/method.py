"""What an unlearning method is: a card, knobs, and one function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from unlearn_core.domain.forget_request import Forget, RequestSize, request_size
from unlearn_core.domain.params import BaseHyperparameters

RequestKind = Literal["classes", "images"]


class DataAccess(NamedTuple):
    """Which pictures a method must be handed: training pictures of either side, validation pictures of both.

    It is handed no others.
    """

    forget: bool
    retain: bool
    validation: bool = False


class ProblemSize(NamedTuple):
    """How much there is to do: numbers of training pictures, and of classes that are forgotten and kept.

    `classes` is how many outputs the net has; `epochs` and `batch` are those of its own recipe.
    """

    forget: int
    retain: int
    forgotten_classes: int
    retained_classes: int
    classes: int
    epochs: int
    batch: int

    def retain_used(self, per_class: int) -> int:
        """How many kept pictures take part where there should be so many of each kept class."""
        return min(per_class * self.retained_classes, self.retain)


@dataclass(frozen=True)
class Preset:
    """Knob settings with a name, and why one would take them.

    `params` fits one class and whatever `fitted` does not name; `fitted` gives the settings for requests of another
    scale, where one set of knobs cannot serve them all.
    """

    title: str
    summary: str
    params: BaseHyperparameters
    by_request_size: Mapping[RequestSize, BaseHyperparameters] = field(default_factory=dict)

    def for_request(self, forget: Forget | None) -> BaseHyperparameters:
        """The settings for such a request; None stands for a request that is not made yet."""
        return self.params if forget is None else self.by_request_size.get(request_size(forget), self.params)


class Reference(NamedTuple):
    """Where a method comes from."""

    title: str
    url: str


class ForgetStacked(Protocol):
    """Forgets by several trials at once, which differ in seed and in the knobs of `Method.stacks` only.

    Every problem has a net of its own; gives for each trial what stopped it (Diverged, Cancelled), or None.
    """

    def __call__(self, problems: Sequence[Any], params: Sequence[Any], trackers: Sequence[Any]) -> list[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to forget.

    `forget(problem, knobs, track)` changes `problem.net` in place. `passes(knobs, sizes)` says how many pictures go
    forward and backward through the net: what it costs, at most where the method has a stop rule (`stops_early`).
    The first preset is the default.
    """

    id: str
    title: str
    group: str
    summary: str
    idea: str
    failure_modes: str
    paper: Reference
    revision: int = 1
    """Raise it when a change gives other weights: what was measured before is then outdated."""
    supports: frozenset[RequestKind]
    params: type[BaseHyperparameters]
    presets: Mapping[str, Preset]
    needs: Callable[[Any], DataAccess]
    images_processed: Callable[[Any, ProblemSize], int]
    forget: Callable[[Any, Any, Any], None]
    may_stop_early: bool = False
    forget_stacked: ForgetStacked | None = None
    """Where it is given, trials may be made side by side on one device (training/stacked.py)."""
    stackable_params: frozenset[str] = frozenset()
    """The continuous knobs in which trials that are made side by side may differ; all others must be the same."""
