"""What a playground run did, in words: its accuracies beside those of the retrained model."""

from typing import NamedTuple

from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.results.boundary_frames import BoundaryFrames

FORGET_GAP, RETAIN_GAP = 0.05, 0.03
"""The differences in accuracy to the retrained model that count: on the forget side and on the retain side."""


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
    forget = _share(after, "forget") - _share(retrained, "forget")
    retain = _share(retrained, "retain") - _share(after, "retain")
    if forget > FORGET_GAP:
        did = f"It still knows {subject.classes or 'the forgotten points'}"
    elif forget < -FORGET_GAP:
        did = "It forgot more than retraining would"
    else:
        did = "It forgot as much as retraining would"
    joint = " and" if abs(forget) > FORGET_GAP else " but"
    return f"{did},{joint} the rest paid for it" if retain > RETAIN_GAP else did


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
