"""The type Claim: one kind of evidence, and what it says of the unlearned model. The rules stand in `claims`."""

from typing import Literal, NamedTuple

Direction = Literal["left", "alike", "beyond", "distinguishable", "unclear"]
"""Of the unlearned model compared with the retrained one: more of what was learned, as much, or less; told apart
without a direction; or nothing is shown."""
Evidence = Literal[
    "accuracy",
    "relearning",
    "membership inference",
    "entropy",
    "confidence",
    "reference models",
    "shadow models",
    "challenge score",
    "linear probe",
    "representation",
    "membership of retained images",
]

CHANCE = 0.5
SIGNIFICANT_ERRORS = 2


class Claim(NamedTuple):
    """What one kind of evidence says of the unlearned model, mostly on the forget set; `words` continue a sentence."""

    evidence: Evidence
    direction: Direction
    words: str
