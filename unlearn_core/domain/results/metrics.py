"""The summary metrics of a job, which its entry in the history shows: written and read in one place.

Models are "before", "after", "gold" and "twin" (a second retrained model); sets are the fields of `Split`.
"""

import json
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Annotated, Any, NamedTuple, Self

from pydantic import ConfigDict, Field

from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.results.result import Record


class Bounds(NamedTuple):
    """The 95 % Wilson interval of an accuracy, 0 to 1; None without images."""

    low: float | None
    high: float | None


class DistanceMetrics(Record):
    """The distance to gold in bits: of the original and the unlearned model, and of a second gold, if there is one."""

    before: float | None
    after: float | None
    between_golds: Annotated[float | None, Field(alias="spread")] = None


class JobSeconds(Record):
    """The seconds of a job; only unlearning runs tell loading, unlearning, evaluation and measuring apart."""

    total: float
    load: float | None = None
    forget: float | None = None
    """For a run of a stack, its share of the seconds of the stack."""
    evaluate: float | None = None
    probes: float | None = None
    verdict: float | None = None
    """From the end of unlearning until the report opened with its verdict."""
    search: float | None = None
    """Of the search for hyperparameters; None for a run without one."""


class SplitAccuracies(Record):
    """The accuracies of a classifier, 0 to 1; None where there are no images."""

    train: float | None
    val: float | None
    test: float | None
    by_class: Annotated[Sequence[float | None], Field(alias="classes")]
    """On the test images of each class."""

    @property
    def by_split(self) -> Mapping[str, float | None]:
        return {"train": self.train, "val": self.val, "test": self.test}


class VerdictMetrics(Record):
    """What accuracy shows by the rule of `domain/verdicts/rule.py`; None where nothing can be compared."""

    forget: str | None
    retain: str | None


class RelearnMetrics(Record):
    """How fast the forget set was relearned."""

    times: Mapping[str, int | None]
    """By model: the number of steps; None for never."""
    index: float | None
    """The anamnesis index, at least 0; None if it is undefined."""


class ScoreMetrics(Record):
    """The score of the NeurIPS 2023 challenge, 0 to about 1; None where it is undefined."""

    num_models: Annotated[int, Field(alias="nets")]
    after: Annotated[float | None, Field(alias="ours")]
    ceiling: float | None
    """Of retrained models."""


class LiraMetrics(Record):
    """The success of the likelihood-ratio attack, as in `LiraResult`."""

    num_shadows: Annotated[int, Field(alias="nets")]
    success_rate: Annotated[float, Field(alias="told")]
    low: float
    high: float
    after: float
    gold: float


class RunMetrics(Record):
    """The summary metrics of a job of any kind. What its kind has not, or its release did not record, is unset.

    Metrics of other releases that this one does not know are kept in `model_extra`.
    """

    model_config = ConfigDict(extra="allow")

    # Validation of a checkpoint, training of a classifier
    fits: bool | None = None
    """Whether the checkpoint fits the architecture."""
    why: str = ""
    """Why it does not."""
    classifier: str | None = None
    accuracies: SplitAccuracies | None = None
    chance: float | None = None
    """The accuracy of guessing, 0 to 1."""

    # Import of a data set
    dataset: str | None = None
    num_images: Annotated[int | None, Field(alias="pictures")] = None
    num_classes: Annotated[int | None, Field(alias="classes")] = None
    num_skipped: Annotated[int, Field(alias="left")] = 0
    """The number of files that could not be used."""
    skipped: Annotated[Sequence[tuple[str, str]], Field(alias="named")] = ()
    """Some of them, each with the reason."""

    # Unlearning runs, and measurements of them
    accuracy: Mapping[str, Mapping[str, float | None]] = Field(default_factory=dict)
    """By model and set, 0 to 1; None without images."""
    balanced: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    """Balanced accuracies, by model and set, 0 to 1; only where classes are very unequal."""
    intervals: Mapping[str, Mapping[str, Bounds]] = Field(default_factory=dict)
    """By model and set."""
    evaluations: Mapping[str, str] = Field(default_factory=dict)
    """By model: the checksum of its weights."""
    gold: str | None = None
    """The checksum of gold's weights: of the job that trained it, and of runs that were compared with it."""
    verdict: VerdictMetrics | None = None
    """As of the last measuring; former releases did not record it."""
    distance: Mapping[str, DistanceMetrics] | None = None
    """By split, "val" or "test"; None without gold."""
    privacy: float | None = None
    """The privacy score of the unlearned model, 0 to 1; None without gold."""
    privacy_val: float | None = None
    """The same for tuning, without test images."""

    seconds: JobSeconds | None = None
    seconds_per_image: Annotated[float | None, Field(alias="seconds_per_picture")] = None
    """The seconds of training per image that was trained on; None in a stack, which says nothing of a single run."""
    planned_images: int | None = None
    """The images that the job planned to train on, by which forecasts scale."""
    threads: int | None = None
    """The threads of the process."""
    found: Mapping[str, Any] = Field(default_factory=dict)
    """The values of the hyperparameters that the run found itself, by name."""
    load: float | None = None
    """The cores that other programs used during the job, on average; None if unknown."""
    note: str = ""
    """What is special about the job, as a sentence."""
    weights: str | None = None
    """The checksum of the unlearned model."""
    preset: str | None = None
    """The preset whose hyperparameters the run had; "" for other ones."""
    revision: int | None = None
    """The revision of the method."""
    version: str | None = None
    """The version of Unlearn Lab."""
    torch: str | None = None
    """The version of torch."""
    code: str | None = None
    """The digest of the code that made the run, plug-ins included."""

    # Measurements on request; None if they were not possible
    relearn: RelearnMetrics | None = None
    score: ScoreMetrics | None = None
    lira: LiraMetrics | None = None

    # Grad-CAM queries
    image: Annotated[int | None, Field(alias="picture")] = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return stored metrics. Raises pydantic.ValidationError if they do not fit."""
        return cls.model_validate(json.loads(text))

    def to_json(self) -> str:
        """Return the stored form. Raises TypeError if a metric of a plug-in is no plain value."""
        return json.dumps(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the stored form as plain values, without what is unset."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def updated(self, newer: "RunMetrics") -> "RunMetrics":
        """Return these metrics with those that are set in `newer` in their place."""
        return RunMetrics.model_validate(self.to_dict() | newer.to_dict())

    @property
    def total_seconds(self) -> float:
        """The seconds of the job; 0 if they were not recorded."""
        return self.seconds.total if self.seconds else 0.0

    def first_accuracy(self, model: str, *sets: str) -> float | None:
        """Return a model's accuracy (0 to 1) on the first of these sets that has images; None if there is none."""
        found = self.accuracy.get(model, {})
        return next((value for name in sets if (value := found.get(name)) is not None), None)

    def distance_to_gold(self, split: str) -> float | None:
        """Return the distance of the unlearned model to gold in bits, by "val" or "test"; None without gold."""
        return None if self.distance is None or split not in self.distance else self.distance[split].after


def summary_metrics(
    weights: Mapping[str, str],
    accuracy: AccuracyResult,
    distance: DistanceResult | None,
    membership: MembershipResult | None,
) -> RunMetrics:
    """Return the summary metrics of a run's measurements; `weights` are the checksums of the models compared."""
    balanced = {
        model: {name: score.balanced for name, score in sets.items() if not isnan(score.balanced)}
        for model, sets in accuracy.scores.items()
    }
    found = RunMetrics(
        accuracy={
            model: {name: or_none(score.accuracy) for name, score in sets.items()}
            for model, sets in accuracy.scores.items()
        },
        intervals={
            model: {name: Bounds(or_none(score.low), or_none(score.high)) for name, score in sets.items()}
            for model, sets in accuracy.scores.items()
        },
        evaluations=weights,
        gold=weights.get("gold"),
        distance=None
        if distance is None
        else {
            split: DistanceMetrics(
                before=or_none(own.before), after=or_none(own.after), between_golds=or_none(own.between_golds)
            )
            for split, own in distance.overall.items()
        },
        privacy=None if membership is None else membership.privacy.get("after"),
        privacy_val=None if membership is None else membership.privacy_val.get("after"),
    )
    return found.updated(RunMetrics(balanced=balanced)) if any(balanced.values()) else found


def or_none(value: float) -> float | None:
    """Return the value, or None for nan."""
    return None if isnan(value) else value
