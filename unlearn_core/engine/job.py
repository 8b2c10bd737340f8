"""The cards of jobs: what a worker executes for a kind of spec, and measurements that are made on request."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.result import Result
from unlearn_core.domain.run import Priority
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun
from unlearn_core.engine.model_cache import ModelCache


class JobContext(NamedTuple):
    """What a job works with; `folder` is the folder of the run that stands for it in the history."""

    model_cache: ModelCache
    listener: RunListener
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Job:
    """A kind of job: `execute(spec, context)` writes the results and returns the summary metrics."""

    spec: type
    execute: Callable[[Any, JobContext], RunMetrics]


class Workload(NamedTuple):
    """What a measurement on request computes at most, for the estimate of its time."""

    unlearned: int = 0
    """Models that are unlearned with the settings of the run, and evaluated."""
    golds: int = 0
    """Retrained models, and their evaluation; those that are bundled cost nothing."""
    originals: int = 0
    """Classifiers that are trained on all training images."""
    trained_images: int = 0
    """Images in further forward and backward passes."""
    evaluated_images: int = 0
    """Images in further forward passes."""


@dataclass(frozen=True, kw_only=True)
class OnDemandMeasurement:
    """A measurement of a finished run that is made on request, because it is too costly for every run.

    Its id is that of its result's part, of its chart, and of `MeasureSpec.what`. With `model_counts` a user chooses the
    size of the ensemble that it needs; otherwise the number of models is 0.
    """

    id: str
    title: str
    """A noun phrase, as in "Relearn time of run 3"."""
    documentation: str
    """What it measures, by which formula and from which source: a docstring, shown on the page of measurements."""
    purpose: Callable[[Report], str]
    """What it finds out about this run, in Markdown."""
    action: str
    """The label of the button: "Run the attack"."""
    unit: str
    """The unit of its progress, in the singular."""
    model_counts: tuple[int, ...] = ()
    """The numbers of models on offer; the first is the default."""
    count_label: str = "Models of each kind"
    models_needed: Callable[[int, str], str] = lambda count, golds: ""
    """Which models a count stands for, in Markdown; `golds` says how many of the retrained ones must be trained."""
    workload: Callable[[Report, int], Workload]
    why_not: Callable[[Report], str | None] = lambda report: None
    """Why it cannot be made for this run, as a sentence; None if it can."""
    is_outdated: Callable[[Report], bool] = lambda report: False
    """Whether the result in the report should be measured again."""
    priority: Priority = Priority.INTERACTIVE
    measure: Callable[[LoadedRun, int, ModelCache, RunListener], Result | str]
    """Return the result for a number of models, or why there is none."""
    metrics: Callable[[Any], RunMetrics] = lambda result: RunMetrics()
    """The summary metrics of a result."""
