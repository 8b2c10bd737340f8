"""Unlearning methods: the declaration that each method makes, with its hyperparameters, presets and function."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.forget_request import FEW_IMAGES, Forget, RequestSize, request_size
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.split import Split
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning

if TYPE_CHECKING:  # A problem holds tensors, and this layer imports no torch at run time.
    from unlearn_core.training.problem import Problem

ParamsT = TypeVar("ParamsT", bound=BaseHyperparameters)
ParamsT_contra = TypeVar("ParamsT_contra", bound=BaseHyperparameters, contravariant=True)

RequestKind = Literal["classes", "images"]


class DataAccess(NamedTuple):
    """The data that a method needs: forget set and retain set for training, and validation images of both.

    A method cannot access data that it does not declare.
    """

    forget: bool
    retain: bool
    validation: bool = False


_PERCEPTRON_LAYERS = 2


class ProblemSize(NamedTuple):
    """The size of an unlearning problem: numbers of training images, and of forgotten and retained classes.

    `classes` is the number of the model's outputs; `epochs` and `batch` are those of its training recipe; `layers` are
    those of its per-layer charts, without the head and the shortcuts.
    """

    forget: int
    retain: int
    forgotten_classes: int
    retained_classes: int
    classes: int
    epochs: int
    batch: int
    layers: int

    @classmethod
    def of(
        cls,
        split: Split,
        dataset: DatasetCard,
        forget: Forget,
        classifier: ClassifierCard,
        *,
        previously_forgotten: Collection[int] = (),
    ) -> Self:
        """The size of the problem that a request poses.

        `split` leaves out what earlier runs forgot (`remaining_split`); `previously_forgotten` are their classes.
        """
        forgotten: set[int] = set(forget.classes) if forget.kind == "classes" else set()
        recipe = classifier.recipe
        return cls(
            forget=len(split.forget_train),
            retain=len(split.retain_train),
            forgotten_classes=len(forgotten),
            retained_classes=len(dataset.classes) - len(forgotten | set(previously_forgotten)),
            classes=len(dataset.classes),
            epochs=recipe.epochs if recipe else 0,
            batch=recipe.batch if recipe else 1,
            layers=len(classifier.roles.hidden_layers),
        )

    @property
    def is_few_images(self) -> bool:
        """Whether few single images are to be forgotten."""
        return not self.forgotten_classes and self.forget <= FEW_IMAGES

    @property
    def shares_features(self) -> bool:
        """Whether the model has hidden layers that all classes share to a degree: more than a small perceptron has."""
        return self.layers > _PERCEPTRON_LAYERS

    def retain_used(self, per_class: int) -> int:
        """The number of retained images used, for `per_class` images per retained class."""
        return min(per_class * self.retained_classes, self.retain)


TUNED_ON = ProblemSize(
    forget=1000, retain=9000, forgotten_classes=1, retained_classes=9, classes=10, epochs=40, batch=128, layers=10
)
"""The size of the problem on which the presets `bundled` were tuned: one class of the CIFAR-10 sample, a ResNet-20."""


@dataclass(frozen=True)
class Preset:
    """Named hyperparameter values, and what they are good for.

    `params` holds for one class and for every size that `by_request_size` leaves out; `by_request_size` has the values
    for requests of another size. The hyperparameters named in `auto` are found by the run, from these values.
    """

    title: str
    summary: str
    params: BaseHyperparameters
    by_request_size: Mapping[RequestSize, BaseHyperparameters] = field(
        default_factory=dict[RequestSize, BaseHyperparameters]
    )
    auto: tuple[str, ...] = ()

    def for_request(self, forget: Forget | None) -> BaseHyperparameters:
        """The hyperparameters for a request; None stands for a request that is not chosen yet."""
        return self.params if forget is None else self.by_request_size.get(request_size(forget), self.params)


class Reference(NamedTuple):
    """The publication of a method."""

    title: str
    url: str


ETERNAL_SUNSHINE = Reference(
    "Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"
)
UNBOUNDED_UNLEARNING = Reference(
    "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
)
"""Publications that introduced several methods."""


class ForgetFunction(Protocol[ParamsT_contra]):
    """Changes `problem.model` in place so that it forgets `problem.forget`, and reports progress to the tracker.

    Raises DivergedError if the loss is not finite, and CancelledError if the run is cancelled.
    """

    def __call__(self, problem: "Problem", params: ParamsT_contra, tracker: Tracker, /) -> None: ...


class ForgetStackedFunction(Protocol[ParamsT_contra]):
    """Runs several trials stacked; they differ only in their seed and in `Method.stackable_params`.

    Every problem has a model of its own. Returns for each trial the error that stopped it (DivergedError,
    CancelledError), or None.
    """

    def __call__(
        self, problems: Sequence["Problem"], params: Sequence[ParamsT_contra], trackers: Sequence[Tracker], /
    ) -> list[UnlearnError | None]: ...


def no_caution(_params: BaseHyperparameters, _sizes: ProblemSize, _searches: bool, /) -> str | None:
    """The caution of methods that may work on every problem."""
    return None


@dataclass(frozen=True, kw_only=True)
class Method(Generic[ParamsT]):
    """One unlearning method, with hyperparameters of the type ParamsT.

    `images_processed(params, sizes)` is the number of images in forward and backward passes, which is the cost; for a
    method with a stopping rule (`may_stop_early`) it is the maximum. The first preset is the default.
    """

    id: str
    title: str
    group: str
    summary: str
    idea: str
    failure_modes: str
    paper: Reference
    revision: int = 1
    """Raise it if a change alters the resulting weights: earlier results then count as outdated."""
    supports: frozenset[RequestKind]
    params: type[ParamsT]
    presets: Mapping[str, Preset]
    needs: Callable[[ParamsT], DataAccess]
    images_processed: Callable[[ParamsT, ProblemSize], int]
    forget: ForgetFunction[ParamsT]
    may_stop_early: bool = False
    forget_stacked: ForgetStackedFunction[ParamsT] | None = None
    """If given, trials can be trained stacked on one device (training/stacked.py)."""
    tuning: Tuning | None = None
    """How the preset `auto` finds its hyperparameters; None if there is nothing to find."""
    caution: Callable[[ParamsT, ProblemSize, bool], str | None] = no_caution
    """Why a run is expected to fail, or None; its last argument is whether the run searches for hyperparameters.

    It is known and said before the run, which can be started nevertheless.
    """
    stackable_params: frozenset[str] = frozenset()
    """The continuous hyperparameters in which stacked trials may differ; all others must be equal."""

    def preset_of(self, spec: UnlearnSpec) -> str | None:
        """The id of the preset that a run used: "auto" if it found values itself; None where none has its values."""
        if spec.auto:
            return "auto"
        forget = spec.request.forget
        return next(
            (name for name, one in self.presets.items() if one.for_request(forget).model_dump() == spec.params), None
        )


def unsupported_reason(method: Method[Any], kind: RequestKind, methods: Iterable[Method[Any]]) -> str | None:
    """Why a method does not support this kind of request, and which of all methods do; None if it does."""
    if kind in method.supports:
        return None
    able = [other.title for other in methods if kind in other.supports]
    return f"{cannot_forget(method, kind)} These methods can: {', '.join(able) or 'none yet'}."


def cannot_forget(method: Method[Any], kind: RequestKind, noun: str = "image") -> str:
    """The sentence that a method does not support this kind of request."""
    return f"{method.title} cannot forget {kind_title(kind, noun)}."


def kind_title(kind: RequestKind, noun: str = "image") -> str:
    """What a kind of request forgets, in words; `noun` is what one input of the data set is called."""
    return "whole classes" if kind == "classes" else f"single {noun}s"
