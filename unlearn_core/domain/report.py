"""The report of a run: one part per measurement, each either present or missing with a reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.forget_request import Forget
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.results.result import ReportPart, Result
from unlearn_core.domain.split import Split

R = TypeVar("R", bound=Result)

MODELS = ("before", "after", "gold")
"""The three models that a report compares, always in this order."""

MODEL_TITLES = {
    "before": "the original model",
    "after": "the unlearned model",
    "gold": "the retrained model",
    "twin": "the second retrained model",
    "other": "the second original model",
}
"""What the models are called in sentences."""


def damaged_part(name: str) -> str:
    """Return the reason why a part of a report is missing whose file cannot be read."""
    return f"The record of {name} in this report is damaged. Measure the run again, or start it again."


NOT_YET = "This has not been measured yet."
"""The reason why a part is missing while its run is being measured, or if that was stopped."""


class Evaluation(NamedTuple):
    """The logits (N, C) of one model on one data set, in the data set's order, identified by its weights' checksum."""

    weights: str
    dataset: str
    logits: np.ndarray
    evaluated: np.ndarray | None = None
    """Which images (N,) were evaluated so far, where the logits of the others are nan; None for all of them."""

    def covers(self, rows: np.ndarray) -> bool:
        """Return whether all of these images were evaluated."""
        return self.evaluated is None or bool(self.evaluated[rows].all())

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells it from other evaluations: weights, data set, and which images were evaluated so far."""
        so_far = "" if self.evaluated is None else sha256(self.evaluated.tobytes()).hexdigest()
        return self.weights, self.dataset, so_far

    @property
    def known_logits(self) -> np.ndarray:
        """The logits of the images that were evaluated so far."""
        return self.logits if self.evaluated is None else self.logits[self.evaluated]


@dataclass(frozen=True, kw_only=True)
class Report:
    """All results of a run.

    `labels` (N,) and `split` follow the data set's order, as do the logits in `evaluations` (keys: before, after, gold
    and twin, a second retrained model, as far as they exist). `missing` gives the reason for every absent part or
    model. `pending` names the parts that are still to be measured; it is empty once the report is complete.
    """

    run: int | None
    spec: UnlearnSpec
    classifier: ClassifierCard
    dataset: DatasetCard
    method: str
    """The method's title."""
    labels: np.ndarray
    split: Split
    evaluations: Mapping[str, Evaluation]
    parts: Mapping[str, ReportPart]
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    pending: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    """Models that were evaluated and whose outputs no longer exist; what was measured of them is still in the parts."""
    _read: dict[type[Result], Result | None] = field(
        default_factory=dict[type[Result], Result | None], init=False, repr=False, compare=False
    )
    """The results that were read from their parts so far."""

    def get(self, kind: type[R]) -> R | None:
        """Return a result, or None if it is missing or damaged; `reason` says why."""
        if kind not in self._read:
            part = self.parts.get(kind.part)
            try:
                self._read[kind] = None if part is None else kind.from_part(part)
            except (ValueError, TypeError):  # its values do not fit, or are no values of a result at all
                self._read[kind] = None
        return cast("R | None", self._read[kind])

    def __getitem__(self, kind: type[R]) -> R:
        """Return a result. Raises KeyError if the report has none."""
        result = self.get(kind)
        if result is None:
            raise KeyError(f"{kind.part}: {self.reason(kind)}")
        return result

    def __contains__(self, kind: type[Result]) -> bool:
        return self.get(kind) is not None

    def reason(self, kind: type[Result]) -> str:
        """Return the reason why a result is missing, as a sentence."""
        if kind.is_in(self.parts):
            return damaged_part(kind.part)
        if kind.part in self.pending:
            return NOT_YET
        return self.missing.get(kind.part, f"This run has no record of its {kind.part}, so there is nothing to show.")

    def with_result(self, result: Result) -> "Report":
        """Return a report that has this result too, in place of an earlier one."""
        return replace(self, parts=result.add_to(self.parts))

    @cached_property
    def fingerprint(self) -> str:
        """A checksum of the content: of two reports with the same one, every drawing and every text is the same."""
        models = {model: one.identity for model, one in self.evaluations.items()}
        parts = {name: part.checksum() for name, part in self.parts.items()}
        cards = [card.model_dump(mode="json") for card in (self.spec, self.classifier, self.dataset)]
        absent = [dict(self.missing), self.pending]
        facts = json.dumps([self.run, self.method, cards, models, parts, absent], sort_keys=True)
        return sha256(facts.encode() + np.ascontiguousarray(self.labels).tobytes()).hexdigest()

    @property
    def params(self) -> dict[str, Any]:
        """The hyperparameters of the run: those of its spec, and those that it found itself."""
        found = self.get(TuningResult)
        return self.spec.params | (dict(found.params) if found else {})

    @property
    def forget_set_title(self) -> str:
        """The forget set in words: "cat", "cat and dog", "3 images"."""
        return forget_set_title(self.spec, self.dataset)


def stored(*results: Result) -> dict[str, ReportPart]:
    """Return results as the parts of a report."""
    parts: dict[str, ReportPart] = {}
    for result in results:
        parts = result.add_to(parts)
    return parts


def forget_set_title(spec: UnlearnSpec, dataset: DatasetCard) -> str:
    """A spec's forget set in words."""
    return describe_forget_set(spec.request.forget, dataset)


def gold_title(spec: TrainGoldSpec, dataset: DatasetCard) -> str:
    """The title of a retraining run: "Retrain without cat", "Retrain without cat, number 2"."""
    what = describe_forget_set(spec.request.forget, dataset)
    return f"Retrain without {what}" + (f", number {spec.seed + 1}" if spec.seed else "")


def describe_forget_set(forget: Forget, dataset: DatasetCard) -> str:
    """A forget set in words: "cat", "cat and dog", "3 images"."""
    if forget.kind == "images":
        noun = dataset.item_noun
        return f"1 {noun}" if len(forget.images) == 1 else f"{len(forget.images):,} {noun}s"
    names = [dataset.classes[number] for number in forget.classes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
