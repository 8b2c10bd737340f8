"""Builds an evidence sheet from a report: words from the verdicts and claims, figures from the results."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.charts.text.attack_claims import exposure_claim
from unlearn_core.charts.text.claim import Claim, Evidence
from unlearn_core.charts.text.claims import forget_claims
from unlearn_core.charts.text.verdict import caveats, verdicts
from unlearn_core.charts.text.warnings import no_warning_text, report_warnings
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.features import RepresentationResult
from unlearn_core.domain.results.outputs import ClosenessResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import (
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    RelearnResult,
    RetainedMembershipResult,
    RmiaResult,
)
from unlearn_core.domain.results.result import Result
from unlearn_core.domain.verdicts.report_verdicts import num_retrained
from unlearn_core.export import cli_command
from unlearn_core.export.evidence.accuracy_figures import accuracy_figures
from unlearn_core.export.evidence.other_figures import other_figures
from unlearn_core.export.evidence.sheet import (
    FORMAT,
    EvidenceSheet,
    Fingerprint,
    SheetClaim,
    SheetRequest,
    SheetVerdict,
    Untested,
)
from unlearn_core.export.run_summary import question_of, version_text
from unlearn_core.installation import VERSION

_LIBRARIES = ("numpy", "scipy", "scikit-learn")
"""Those that compute the figures."""
_RESULTS: Mapping[Evidence | str, type[Result]] = {
    "accuracy": AccuracyResult,
    "relearning": RelearnResult,
    "membership inference": MembershipResult,
    "reference models": RmiaResult,
    "shadow models": LiraResult,
    "challenge score": NeuripsScoreResult,
    "linear probe": RepresentationResult,
    "membership of retained images": RetainedMembershipResult,
    "similarity to the retrained model": ClosenessResult,
}
"""Where the figures of each kind of evidence are."""
_ONE_MODEL = "It needs the weights of a second retrained model."
_LIMITS = (
    "All tests look at outputs. Nothing shows that no trace is left in the weights; a stronger attack may find one.",
    "The sheet concerns this model alone. Copies of the images, of the original model or of its outputs may exist "
    "elsewhere.",
    "The figures follow from the stored outputs. Only running the command again shows that the weights give them.",
    "Outputs and sheet that someone changed together do not contradict each other: note the SHA-256 of sheet.json, "
    "which verify prints, where nobody can change it.",
    "Whether this satisfies a law or a contract is no question of measurement.",
)


def build_sheet(report: Report, fingerprints: tuple[Fingerprint, ...]) -> EvidenceSheet:
    """Return the sheet of a report, made now."""
    flags = report_warnings(report)
    unwarned = () if flags else (no_warning_text(report),)
    return EvidenceSheet(
        format=FORMAT,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        made_with={"unlearn-lab": VERSION, "python": platform.python_version()}
        | {name: version(name) for name in _LIBRARIES},
        request=_request(report),
        verdicts=tuple(
            SheetVerdict(about=about, title=one.title, words=_plain(one.words))
            for about, one in zip(("forget set", "retain set", "similarity"), verdicts(report), strict=True)
        ),
        claims=tuple(
            SheetClaim(evidence=one.evidence, direction=one.direction, words=_plain(one.words))
            for one in _claims(report)
        ),
        warnings=tuple(_plain(f"{capitalize(flag.title)}. {flag.words} {flag.doubt}") for flag in flags),
        figures=(*accuracy_figures(report), *other_figures(report)),
        untested=tuple(_untested(report)),
        limits=tuple(map(_plain, (caveats(report), *unwarned, *_LIMITS))),
        fingerprints=fingerprints,
    )


def _claims(report: Report) -> list[Claim]:
    exposed = exposure_claim(report)
    return [*forget_claims(report), *([exposed] if exposed else [])]


def _request(report: Report) -> SheetRequest:
    spec = report.spec
    return SheetRequest(
        title=f"Forget {report.forget_set_title} with {report.method}",
        question=question_of(report),
        run=report.run,
        start=spec.start,
        classifier=report.classifier.title,
        dataset=report.dataset.title,
        method=report.method,
        hyperparameters={name: str(value) for name, value in report.params.items()},
        seed=spec.seed,
        command=cli_command.run_command(spec, report.dataset),
        run_made_with=version_text(report),
    )


def _untested(report: Report) -> list[Untested]:
    found: list[Untested] = []
    if "gold" not in report.evaluations:
        found.append(Untested(what="comparison with a retrained model", reason=report.missing.get("gold", NO_GOLD)))
    elif num_retrained(report) == 1:
        found.append(Untested(what="spread between retrained models", reason="There is only one retrained model."))
    for what, kind in _RESULTS.items():
        if kind not in report:
            unmeasured = "It was not measured in this run."
            reason = report.reason(kind) if kind.is_in(report.parts) else report.missing.get(kind.part, unmeasured)
            found.append(Untested(what=what, reason=reason))
    if not any(claim.evidence == "representation" for claim in forget_claims(report)):
        found.append(Untested(what="representation", reason=report.missing.get("twin", _ONE_MODEL)))
    if SeedsResult not in report:
        found.append(Untested(what="repeats from other seeds", reason="The run was not repeated."))
    found.append(Untested(what="other classifiers and data sets", reason="A run has one of each."))
    return found


def _plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")
