"""What an evidence sheet holds, as `sheet.json` stores it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from unlearn_core.domain.report import MODEL_TITLES, Report
from unlearn_core.domain.results.predictions import AccuracyResult

FORMAT = 1
"""Increases when older releases can no longer read a sheet."""

SHEET, PAGE, RUN, OUTPUTS = "sheet.json", "sheet.html", "run.json", "outputs.npz"
"""The files of the folder: the figures, the page, what was run, and the stored outputs."""

Source = Literal["outputs", "run"]
"""Where a figure comes from: recomputed from stored outputs, or measured in the run, which `verify` cannot repeat."""
Unit = Literal["share", "difference", "AUC", "bits", "nats", "steps", "ratio", "images"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def lost_outputs(report: Report) -> list[str]:
    """Return the titles of the models whose outputs are measured in a report and not stored, or not of all images."""
    result = report.get(AccuracyResult)
    measured = {"before", "after", *(result.scores if result else ())}
    whole = {model for model, one in report.evaluations.items() if one.evaluated is None}
    return [title for model, title in MODEL_TITLES.items() if model in measured - whole]


class SheetFigure(_Frozen):
    """One number, with what is needed to judge it."""

    id: str
    evidence: str
    """The kind of evidence, such as "accuracy" or "relearning"."""
    what: str
    set: str = ""
    """A field of `Split`, or "" where no single set was tested."""
    model: str
    """"before", "after", "gold" or "twin"; or two of them as in "after-gold", which is the first minus the second."""
    value: float | None
    """None where there is none, such as the time of a model that never relearned."""
    unit: Unit = "share"
    low: float | None = None
    high: float | None = None
    level: float | None = None
    """The confidence level of the interval, 0 to 1."""
    images: int | None = None
    p: float | None = None
    """That two accuracies are equal (two-sided), before the adjustment for several comparisons."""
    p_margin: float | None = None
    """That the model is at most the margin below the reference (one-sided), likewise before the adjustment."""
    margin: float | None = None
    """Smaller differences count as none."""
    finding: str = ""
    source: Source = "outputs"


class SheetVerdict(_Frozen):
    """One card of the report."""

    about: Literal["forget set", "retain set", "similarity"]
    title: str
    words: str


class SheetClaim(_Frozen):
    """What one kind of evidence says of the forget set; membership of retained images, of the retain set."""

    evidence: str
    direction: str
    words: str


class Untested(_Frozen):
    """A kind of evidence that the report lacks, and why."""

    what: str
    reason: str


class Fingerprint(_Frozen):
    """A SHA-256 in hex digits; None with the reason in `note` where it could not be computed."""

    id: str
    what: str
    sha256: str | None
    note: str = ""


class SheetRequest(_Frozen):
    """What was requested, and how it can be run again."""

    title: str
    question: str
    run: int | None
    start: int | None
    """The earlier run that this run continues, which a command cannot express."""
    classifier: str
    dataset: str
    method: str
    hyperparameters: Mapping[str, str]
    seed: int
    command: str
    run_made_with: str
    """Versions with which the run was made."""


class EvidenceSheet(_Frozen):
    """A whole sheet. Everything but the head and `files` is a function of the report and the fingerprints."""

    format: int
    made: str
    """ISO 8601, in UTC."""
    made_with: Mapping[str, str]
    """Versions with which the sheet was made."""
    request: SheetRequest
    verdicts: tuple[SheetVerdict, ...]
    claims: tuple[SheetClaim, ...]
    warnings: tuple[str, ...]
    figures: tuple[SheetFigure, ...]
    untested: tuple[Untested, ...]
    limits: tuple[str, ...]
    """What no such test can prove."""
    fingerprints: tuple[Fingerprint, ...]
    files: Mapping[str, str] = {}
    """The SHA-256 of files that are made from the sheet itself."""
