"""A claim of one of the three works: what the work says, and what measures it here.

Figures of the works are those of their abstracts, reports and code, and of public summaries, as named with each. What
could not be read there is not stated.
"""

from typing import NamedTuple

from unlearn_core.benchmarks.ablation import PRINTED_NOISE
from unlearn_core.benchmarks.results import CLASSIFIER, SEEDS

RUN = f"python -m unlearn_core run --classifier {CLASSIFIER}"
RESULTS, LADDER, REPRODUCE, REPRODUCE_L2UL = (
    f"python -m unlearn_core {verb}" for verb in ("results", "ladder", "reproduce", "reproduce --work l2ul")
)
LADDER_PRINTED = f"{LADDER} --noise {PRINTED_NOISE}"


SUMMARY = "accuracy table, as a public summary gives it"
REPORT = "report, and the authors' blog"
ON_CLASS = f"ResNet-20, 10,000 images of CIFAR-10, preset `bundled`, forgetting cat, seeds {SEEDS[0]} to {SEEDS[-1]}"
ON_IMAGES = (
    f"ResNet-20, 10,000 images of CIFAR-10, the standard requests of 16 and 200 images, seeds {SEEDS[0]} to "
    f"{SEEDS[-1]} as far as the number of runs says"
)
ON_LADDER = "ResNet-8, 10,000 images of CIFAR-10, 200 images, 64 models of each step against 64 retrained models"


class PaperClaim(NamedTuple):
    """One claim: what the work says and where, what measures it here (ids of findings), on what, and by which command.

    `missing` is the part that nothing here measures; `note` is what to know about the comparison.
    """

    title: str
    says: str
    source: str
    evidence: tuple[str, ...]
    setting: str
    commands: tuple[str, ...]
    missing: str = ""
    note: str = ""


class Work(NamedTuple):
    """One of the works; `first` is what must be known before its claims are read."""

    method: str
    first: str
    claims: tuple[PaperClaim, ...]
