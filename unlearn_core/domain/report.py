"""What is known about a run: parts, each written by one probe, each absent with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.forget_request import Forget
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.split import Split

MODELS = ("before", "after", "gold")
"""The three columns, always in this order."""


class Evaluation(NamedTuple):
    """What one net answers on one data set: logits (N, C) in the data set's order, known by its weights' checksum."""

    weights: str
    dataset: str
    logits: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Report:
    """The parts that exist for a run.

    `labels` (N,) and `split` follow the data set's order, as do the logits in `evaluations` (keys: before, after, gold
    and twin, a second gold, as far as they exist). `missing` gives for every absent part or model the reason.
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
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def forget_set_title(self) -> str:
        """What was forgotten, in words: "cat", "cat and dog", "3 pictures"."""
        return forget_set_title(self.spec, self.dataset)


def forget_set_title(spec: UnlearnSpec, dataset: DatasetCard) -> str:
    """What a spec asks to forget, in words."""
    return describe_forget_set(spec.request.forget, dataset)


def gold_title(spec: TrainGoldSpec, dataset: DatasetCard) -> str:
    """What the training of a gold is called: "Gold without cat", "Gold without cat, number 2"."""
    what = describe_forget_set(spec.request.forget, dataset)
    return f"Gold without {what}" + (f", number {spec.seed + 1}" if spec.seed else "")


def describe_forget_set(forget: Forget, dataset: DatasetCard) -> str:
    """What somebody wants forgotten: "cat", "cat and dog", "3 pictures"."""
    if forget.kind == "images":
        return "1 picture" if len(forget.images) == 1 else f"{len(forget.images):,} pictures"
    names = [dataset.classes[number] for number in forget.classes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def summary_metrics(parts: Mapping[str, ReportPart], weights: Mapping[str, str]) -> dict[str, Any]:
    """The few figures that stand in a run's row: accuracies as fractions with their 95 % intervals.

    `weights` are the checksums of the models that were compared.
    """
    figures = parts["accuracy"].facts
    distance, membership = parts.get("distance"), parts.get("membership")
    return {
        "accuracy": {m: {k: one["accuracy"] for k, one in sets.items()} for m, sets in figures.items()},
        "intervals": {m: {k: [one["low"], one["high"]] for k, one in sets.items()} for m, sets in figures.items()},
        "evaluations": dict(weights),
        "gold": weights.get("gold"),
        "distance": distance.facts["distance"] if distance else None,
        "privacy_val": membership.facts.get("privacy_val", {}).get("after") if membership else None,
    }
