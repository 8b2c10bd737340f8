"""What was seen of a net along its run: the same few pictures asked again and again, with gold beside them."""

from typing import NamedTuple

import numpy as np

from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.report import Report

SIDE_SETS = {"forget": ("forget_train", "forget_val"), "retain": ("retain_val",)}


class Snapshot(NamedTuple):
    """What one net says to the watched pictures.

    Accuracies (0 to 1) by set, the true class's logit (n,) and the share (C,) of the answers by class, both on the
    forgotten ones, and for each picture shown what it is called and how surely (0 to 1).
    """

    phase: str
    step: int
    accuracy: dict[str, float]
    true_logit: np.ndarray
    shares: np.ndarray
    predicted: list[int]
    confidence: list[float]


class SnapshotSeries(NamedTuple):
    """A run in moments, from before the first step to after the last; gold is None where there is none."""

    snapshots: list[Snapshot]
    gold: Snapshot | None
    image_counts: dict[str, int]
    """How many pictures of each side are asked."""


def snapshot_series(report: Report) -> SnapshotSeries:
    """The moments of a run, from its part `snapshots` and gold's evaluation."""
    part = report.parts["snapshots"]
    ids, facts = part.arrays["ids"], part.facts
    seen = zip(part.arrays["logits"], facts["phases"], part.arrays["step"].tolist(), strict=True)
    moments = [_snapshot(report, part, logits, phase, step) for logits, phase, step in seen]
    gold = report.evaluations.get("gold")
    pictures = {side: int(rows_of_side(part, side).sum()) for side in SIDE_SETS}
    return SnapshotSeries(
        moments, None if gold is None else _snapshot(report, part, gold.logits[ids], "gold", -1), pictures
    )


def rows_of_side(part: ReportPart, side: str) -> np.ndarray:
    """Which watched pictures are of that side or set."""
    names = np.repeat(list(part.facts["sets"]), list(part.facts["sets"].values()))
    return np.isin(names, SIDE_SETS.get(side, (side,)))


def _snapshot(report: Report, part: ReportPart, logits: np.ndarray, phase: str, step: int) -> Snapshot:
    # A net that has run away for a while answers with no numbers; it is then right about nothing.
    logits = np.nan_to_num(logits.astype(np.float64))
    ids = part.arrays["ids"]
    labels, said = report.labels[ids], logits.argmax(1)
    names = [*SIDE_SETS, *(name for name, count in part.facts["sets"].items() if count)]
    forgotten = rows_of_side(part, "forget")
    place = [int(np.flatnonzero(ids == picture)[0]) for picture in part.arrays["shown"]]
    powers = np.exp(logits[place] - logits[place].max(1, keepdims=True))
    counts = np.bincount(said[forgotten], minlength=logits.shape[1])
    return Snapshot(
        phase,
        step,
        {
            name: float((said == labels)[rows_of_side(part, name)].mean())
            for name in names
            if rows_of_side(part, name).any()
        },
        logits[np.arange(len(ids)), labels][forgotten],
        counts / max(1, counts.sum()),
        said[place].tolist(),
        (powers.max(1) / powers.sum(1)).tolist(),
    )
