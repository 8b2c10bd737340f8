"""How runs went over time: accuracy curves, seconds, repeats from other seeds, and the training of a classifier."""

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

from pydantic import BeforeValidator, Field

from unlearn_core.domain.results.result import Array, ArrayByKey, Number, Record, Result, Stored


class CurvePhase(Record):
    """A phase of unlearning: its first optimiser step, and its start and end in seconds since the run began."""

    name: str
    first_step: int
    start: float
    end: float


class ImageCounts(Record):
    """Numbers of images of the forget set and of the retain set."""

    forget: int
    retain: int


class ModelState(Record):
    """A state of a model while its method trains: the steps of the phase before it, and accuracies (0 to 1)."""

    step: int
    forget: float
    retain: float


class EarlyStop(Record):
    """The states that early stopping compared during the last phase of a method; no test image had a part in it."""

    images: ImageCounts
    """The images evaluated: of the forget set, and retained validation images (training images if there are none)."""
    planned: int
    """The optimiser steps of that phase."""
    stopped: int
    """The steps that were made."""
    states: Sequence[ModelState]
    best: int | None
    """The place of the state that the run went back to; None if none were compared."""
    reached: bool
    """Whether that state reached the goal."""


class CurvesResult(Result, part="curves"):
    """Accuracies (0 to 1) on a few fixed images during the run, and the scalars that the method logged."""

    phases: Sequence[CurvePhase]
    images: Annotated[ImageCounts, Field(alias="pictures")]
    logged: Mapping[str, Sequence[tuple[int, float]]]
    """By name: the optimiser step and the value of each point, in the method's unit."""
    early_stop: EarlyStop | None = None
    """None where it was off."""
    steps: Annotated[Array, Stored("step")]
    """Optimiser steps (points,) after which the images were evaluated."""
    seconds: Annotated[Array, Stored("seconds")]
    """Seconds (points,) since the run began."""
    forget: Annotated[Array, Stored("forget")]
    """Accuracy (points,)."""
    retain: Annotated[Array, Stored("retain")]
    """Accuracy (points,)."""


class PhaseTiming(Record):
    """A phase of unlearning: the optimiser steps planned (or made, if more) and done, and its seconds."""

    name: str
    steps: int
    done: int
    seconds: float


class RunSeconds(Record):
    """The seconds of a run: all of it, and loading, unlearning, evaluation and the other measurements."""

    total: float
    load: float
    forget: float
    """For a run of a stack, its share of the seconds of the stack."""
    evaluate: float
    probes: float
    verdict: float | None = None
    """From the end of unlearning until the report opened with its verdict; earlier releases did not record it."""
    search: float | None = None
    """Of the search for hyperparameters; None for a run without one."""


class TimingsResult(Result, part="timings"):
    """How long a run took, and where it was made."""

    phases: Sequence[PhaseTiming]
    seconds: RunSeconds
    steps: int
    """Optimiser steps."""
    images: Annotated[int, Field(alias="pictures")]
    """Images processed in these steps."""
    device: str
    threads: int
    versions: Mapping[str, str]
    """By package."""
    started: str
    """ISO 8601, in UTC."""
    stack_size: Annotated[int, Field(alias="together")] = 1
    """How many runs were trained stacked; not stored for a single run."""


def _without_none(accuracies: object) -> object:
    """Leave out sets without images, for which former releases stored None."""
    if not isinstance(accuracies, Mapping):
        return accuracies
    stored = cast("Mapping[str, float | None]", accuracies)
    return {name: value for name, value in stored.items() if value is not None}


class SeedRun(Record):
    """The metrics of one run of a repeated run; None where one was not measured."""

    run: int
    seed: int
    accuracy: Mapping[str, Annotated[Mapping[str, float], BeforeValidator(_without_none)]]
    """By model and set (0 to 1), for sets that have images."""
    distance: Mapping[str, Number] | None
    """The distance to the retrained model, in bits, before and after."""
    privacy: float | None
    seconds: float | None
    """The seconds of unlearning."""


class SeedsResult(Result, part="seeds"):
    """A run and its finished repeats from other seeds, in the order of their seeds.

    Curves have the places of their runs ("0", "1", ...) as keys; a run that recorded none has no curve.
    """

    runs: Sequence[SeedRun]
    steps: Annotated[ArrayByKey, Stored("step_{}")] = Field(default_factory=dict)
    """Optimiser steps (points,)."""
    forget: Annotated[ArrayByKey, Stored("forget_{}")] = Field(default_factory=dict)
    """Accuracy (points,), 0 to 1."""
    retain: Annotated[ArrayByKey, Stored("retain_{}")] = Field(default_factory=dict)
    """Accuracy (points,), 0 to 1."""

    @property
    def has_curves(self) -> bool:
        """Whether every run has recorded its curve."""
        return len(self.steps) == len(self.runs)


class TrainingResult(Result, part="training"):
    """The curve of a classifier in training, or of a trained one: what was found after each epoch so far."""

    epochs: int
    """How many are planned."""
    images: Annotated[int, Field(alias="pictures")]
    """The number of validation images that are evaluated."""
    classes: int
    loss: Annotated[Array, Stored("loss")]
    """Mean training loss (epochs,)."""
    accuracy: Annotated[Array, Stored("accuracy")]
    """Accuracy on validation images (epochs,), 0 to 1; nan without validation images."""
