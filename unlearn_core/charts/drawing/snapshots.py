"""What was seen of a net along its run: the same few pictures asked again and again, with gold beside them."""

from typing import NamedTuple

import numpy as np

from unlearn_core.domain.measurement import Part
from unlearn_core.domain.report import Report

SIDES = {"forget": ("forget_train", "forget_val"), "retain": ("retain_val",)}


class Sight(NamedTuple):
    """What one net says to the watched pictures.

    Accuracies (0 to 1) by set, the true class's logit (n,) and the share (C,) of the answers by class, both on the
    forgotten ones, and for each picture shown what it is called and how surely (0 to 1).
    """

    phase: str
    step: int
    accuracy: dict[str, float]
    true: np.ndarray
    shares: np.ndarray
    called: list[int]
    surely: list[float]


class Replay(NamedTuple):
    """A run in moments, from before the first step to after the last; gold is None where there is none."""

    moments: list[Sight]
    gold: Sight | None
    pictures: dict[str, int]
    """How many pictures of each side are asked."""


def replay(report: Report) -> Replay:
    """The moments of a run, from its part `snapshots` and gold's evaluation."""
    part = report.parts["snapshots"]
    ids, facts = part.arrays["ids"], part.facts
    seen = zip(part.arrays["logits"], facts["phases"], part.arrays["step"].tolist(), strict=True)
    moments = [_sight(report, part, logits, phase, step) for logits, phase, step in seen]
    gold = report.evaluations.get("gold")
    pictures = {side: int(rows(part, side).sum()) for side in SIDES}
    return Replay(moments, None if gold is None else _sight(report, part, gold.logits[ids], "gold", -1), pictures)


def rows(part: Part, side: str) -> np.ndarray:
    """Which watched pictures are of that side or set."""
    names = np.repeat(list(part.facts["sets"]), list(part.facts["sets"].values()))
    return np.isin(names, SIDES.get(side, (side,)))


def _sight(report: Report, part: Part, logits: np.ndarray, phase: str, step: int) -> Sight:
    # A net that has run away for a while answers with no numbers; it is then right about nothing.
    logits = np.nan_to_num(logits.astype(np.float64))
    ids = part.arrays["ids"]
    labels, said = report.labels[ids], logits.argmax(1)
    names = [*SIDES, *(name for name, count in part.facts["sets"].items() if count)]
    forgotten = rows(part, "forget")
    place = [int(np.flatnonzero(ids == picture)[0]) for picture in part.arrays["shown"]]
    powers = np.exp(logits[place] - logits[place].max(1, keepdims=True))
    counts = np.bincount(said[forgotten], minlength=logits.shape[1])
    return Sight(
        phase,
        step,
        {name: float((said == labels)[rows(part, name)].mean()) for name in names if rows(part, name).any()},
        logits[np.arange(len(ids)), labels][forgotten],
        counts / max(1, counts.sum()),
        said[place].tolist(),
        (powers.max(1) / powers.sum(1)).tolist(),
    )
