"""Snapshots of a model during its run: its outputs on the same few images at several steps, with gold for reference."""

from typing import NamedTuple

import numpy as np
from scipy import special

from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import SnapshotsResult

SIDE_SETS = {"forget": ("forget_train", "forget_val"), "retain": ("retain_val",)}


class Snapshot(NamedTuple):
    """One model's outputs on the monitored images.

    Accuracies (0 to 1) by set; the true class's logit (n,) and the share (C,) of predictions by class, both on the
    forget images; and for each image shown its predicted class and the confidence (0 to 1).
    """

    phase: str
    step: int
    accuracy: dict[str, float]
    true_logit: np.ndarray
    shares: np.ndarray
    predicted: list[int]
    confidence: list[float]


class SnapshotSeries(NamedTuple):
    """The snapshots of a run, from before the first step to after the last; `gold` is None where there is none."""

    snapshots: list[Snapshot]
    gold: Snapshot | None
    image_counts: dict[str, int]
    """The number of monitored images of each side."""


def snapshot_series(report: Report) -> SnapshotSeries:
    """The snapshots of a run, from its SnapshotsResult and gold's evaluation."""
    recorded = report[SnapshotsResult]
    seen = zip(recorded.logits, recorded.phases, recorded.steps.tolist(), strict=True)
    snapshots = [_snapshot(report, recorded, logits, phase, step) for logits, phase, step in seen]
    gold = report.evaluations.get("gold")
    counts = {side: int(rows_of_side(recorded, side).sum()) for side in SIDE_SETS}
    return SnapshotSeries(
        snapshots,
        None if gold is None else _snapshot(report, recorded, gold.logits[recorded.ids], "gold", -1),
        counts,
    )


def rows_of_side(recorded: SnapshotsResult, side: str) -> np.ndarray:
    """A mask of the monitored images that belong to this side or set."""
    names = np.repeat(list(recorded.set_sizes), list(recorded.set_sizes.values()))
    return np.isin(names, SIDE_SETS.get(side, (side,)))


def _snapshot(report: Report, recorded: SnapshotsResult, logits: np.ndarray, phase: str, step: int) -> Snapshot:
    # A model that has diverged outputs NaN; its accuracy is then zero.
    logits = np.nan_to_num(logits.astype(np.float64))
    ids = recorded.ids
    labels, predicted = report.labels[ids], logits.argmax(1)
    names = [*SIDE_SETS, *(name for name, count in recorded.set_sizes.items() if count)]
    forgotten = rows_of_side(recorded, "forget")
    place = [int(np.flatnonzero(ids == image)[0]) for image in recorded.shown]
    counts = np.bincount(predicted[forgotten], minlength=logits.shape[1])
    return Snapshot(
        phase,
        step,
        {
            name: float((predicted == labels)[rows_of_side(recorded, name)].mean())
            for name in names
            if rows_of_side(recorded, name).any()
        },
        logits[np.arange(len(ids)), labels][forgotten],
        counts / max(1, counts.sum()),
        predicted[place].tolist(),
        special.softmax(logits[place], axis=1).max(1).tolist(),
    )
