"""The first screen of a report in words: the answer in a sentence, a line on privacy and features, and the limits.

All of it says what the verdicts and the claims say; there is no rule here.
"""

from collections.abc import Sequence

from unlearn_core.charts.drawing.wording import capitalize, join_words
from unlearn_core.charts.text.attack_claims import exposure_claim
from unlearn_core.charts.text.card import Verdict
from unlearn_core.charts.text.claim import Claim, Evidence
from unlearn_core.charts.text.claims import forget_claims, probe_claim
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import MembershipResult

ATTACKS: tuple[Evidence, ...] = (
    *("membership inference", "relearning", "reference models", "shadow models", "challenge score"),
)
"""The kinds of evidence that an attacker could use."""


def answer(cards: Sequence[Verdict]) -> str:
    """Return what the cards on forget set and retain set say, as one sentence."""
    forget, retain = cards[:2]
    is_contrast = {forget.tone == "good", retain.tone == "good"} == {True, False}
    joint = ", but " if is_contrast and "unknown" not in (forget.tone, retain.tone) else ", and "
    return capitalize(f"{joint.join(dict.fromkeys((forget.clause, retain.clause)))}.")


def privacy_line(report: Report) -> str:
    """Return what attacks find that were made on this run, or why there was none; and whether retained images show."""
    exposed = exposure_claim(report)
    if exposed is None or exposed.direction != "left":
        return _forget_line(report)
    return f"{_forget_line(report)} {capitalize(exposed.words)}."


def _forget_line(report: Report) -> str:
    made = [claim for claim in forget_claims(report) if claim.evidence in ATTACKS]
    found = [claim for claim in made if claim.direction != "unclear"]
    if not made or MembershipResult.part in report.pending:
        return report.reason(MembershipResult)
    if not found:
        return f"{_named(made)} found no difference {_reference(report)}."
    said = f"{capitalize(join_words([claim.words for claim in found]))}."
    calm = [claim for claim in made if claim not in found]
    return f"{said} No difference by {join_words([claim.evidence for claim in calm])}." if calm else said


def features_line(report: Report) -> str:
    """Return what a linear probe finds in the features, beside those of the retrained model; "" if there was none."""
    claim = probe_claim(report)
    return "" if claim is None else f"{capitalize(claim.words)}."


def _named(claims: Sequence[Claim]) -> str:
    return capitalize(join_words([claim.evidence for claim in claims]))


def _reference(report: Report) -> str:
    noun = report.dataset.item_noun
    return "to the retrained model" if "gold" in report.evaluations else f"between forget {noun}s and unseen ones"


def limits(report: Report) -> str:
    """Return what no report proves."""
    noun = report.dataset.item_noun
    return (
        f"That the {noun}s left no trace in the weights, or what holds for a single {noun} or person. "
        "It is no legal guarantee."
    )
