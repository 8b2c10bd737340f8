"""What a playground run did, in words: its accuracies beside those of the retrained model.

The title says what the rule of the verdicts shows. Frames hold counts, not which points are right, so both models are
compared as two independent samples: on the same points, that is cautious.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.domain.verdicts.paired_comparison import compare_samples
from unlearn_core.domain.verdicts.rule import Relation, relations

_FORGOT: Mapping[Relation, str] = {
    "higher": "It still knows {what}",
    "lower": "It forgot more than retraining would",
    "lost": "It forgot more than retraining would",
    "equal": "It forgot as much as retraining would",
    "unclear": "No difference to retraining is shown",
}
_PAID: Mapping[Relation, str] = {"lost": "the rest paid for it", "lower": "the rest paid a little"}


class Words(NamedTuple):
    """The outcome in short, and the figures that it rests on."""

    title: str
    sentence: str


class Subject(NamedTuple):
    """What was forgotten: the titles of whole classes, or "" where single points were; `has_test` without drawing."""

    classes: str
    has_test: bool


def boundary_words(subject: Subject, after: BoundaryFrames, retrained: BoundaryFrames | None) -> Words:
    """Return the outcome of a run; without its retrained model, only what the unlearned model predicts."""
    if after.note:
        return Words("The run broke down", f"{after.note} The frames until then are shown.")
    if retrained is None:
        return Words("Forgotten. And retraining?", f"{_alone(subject, after)} The retrained model follows.")
    return Words(_title(subject, after, retrained), _sentence(subject, after, retrained))


def _title(subject: Subject, after: BoundaryFrames, retrained: BoundaryFrames) -> str:
    sides = [side for side in ("forget", "retain") if getattr(after, f"{side}_points")]
    compared = [compare_samples(_correct(after, side), _correct(retrained, side)) for side in sides]
    shown = dict(zip(sides, relations(compared), strict=True))
    forgot, paid = shown.get("forget", "unclear"), _PAID.get(shown.get("retain", "unclear"))
    did = _FORGOT[forgot].format(what=subject.classes or "the forgotten points")
    joint = " but" if forgot in ("equal", "unclear") else " and"
    return f"{did},{joint} {paid}" if paid else did


def _correct(frames: BoundaryFrames, side: str) -> np.ndarray:
    """As many correct predictions in the last frame as there are, in no order: (points,) bool."""
    return np.arange(getattr(frames, f"{side}_points")) < getattr(frames, side)[-1]


def _sentence(subject: Subject, after: BoundaryFrames, retrained: BoundaryFrames) -> str:
    same = (after.last_prediction() == retrained.last_prediction()).mean()
    told = (
        f"{_alone(subject, after)} The retrained model: {_of(retrained, 'forget')} and {_of(retrained, 'retain')}. "
        f"In {percent(float(same), 0)} of the plane both predict the same class."
    )
    if not subject.classes and _share(retrained, "forget") > 0.5:
        told += " A model that never saw these points gets most of them right: their neighbours teach the same."
    return told


def _alone(subject: Subject, after: BoundaryFrames) -> str:
    points = "test points" if subject.has_test else "points"
    if subject.classes:
        of_what = f"{points} of {subject.classes}", f"{points} of the other classes"
    else:
        of_what = "forgotten points", f"other {points}" if not subject.has_test else points
    return (
        f"The unlearned model predicts {_of(after, 'forget')} {of_what[0]} correctly, "
        f"and {percent(_share(after, 'retain'))} of the {of_what[1]}."
    )


def _of(frames: BoundaryFrames, side: str) -> str:
    if side == "retain":
        return percent(_share(frames, "retain"))
    return f"{frames.forget[-1]} of {frames.forget_points}"


def _share(frames: BoundaryFrames, side: str) -> float:
    points = getattr(frames, f"{side}_points")
    return getattr(frames, side)[-1] / points if points else 0.0
