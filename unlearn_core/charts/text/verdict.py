"""The verdict on a run in three cards, on forget set, retain set and similarity to gold; and what it does not prove."""

from unlearn_core.charts.drawing.wording import has_balanced_accuracy, is_class_request
from unlearn_core.charts.text.card import Verdict
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.charts.text.gold_card import gold_card
from unlearn_core.charts.text.retain_card import retain_card
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.balance import BALANCED_CAVEAT
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.privacy import MembershipResult, RetainedMembershipResult, RmiaResult
from unlearn_core.domain.verdicts.paired_comparison import MARGIN
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts
from unlearn_core.domain.verdicts.rule import (
    deciding_set,
)

__all__ = ["Verdict", "caveats", "verdicts"]

_ATTACKS = (MembershipResult, RmiaResult, RetainedMembershipResult)
"""Those that are made in every run."""
NEARLY_NONE = 0.05
"""With at most this share of the forget set classified correctly, hiding an output would look the same."""


def verdicts(report: Report) -> tuple[Verdict, Verdict, Verdict]:
    """Return the cards on forgetting, retained accuracy and similarity to gold, in this order."""
    return forget_card(report), retain_card(report), gold_card(report)


def caveats(report: Report) -> str:
    """Return what the three cards do not prove, for this run."""
    noun = report.dataset.item_noun
    said = [f"This does not prove that the {noun}s left no trace."]
    if not len(report.split.forget_train):
        said.append(f"No forget {noun} was trained on, so there was nothing to forget.")
    if "gold" not in report.evaluations:
        said.append("Without a retrained model there is no reference.")
    elif is_class_request(report):
        said.append("Blocking one output would give the same first number." if _names_few(report) else "")
    if "gold" in report.evaluations and not report.classifier.original_recipe:
        said.append(
            "The retrained model uses a recipe chosen by hand, not the one that made this classifier: part of the "
            "difference may come from the recipe."
        )
    said.append(
        f"Verdicts compare the models on the same {noun}s. Differences within {100 * MARGIN:.0f} points count as none; "
        "ranges are 90 % intervals."
    )
    if report.pending:
        attack = "membership inference may add to what is said of the forget set"
        is_coming = any(kind.part in report.pending for kind in _ATTACKS)
        said.append(f"Not all was measured yet{f': {attack}' if is_coming else ''}.")
    said.append(BALANCED_CAVEAT if has_balanced_accuracy(report) else "")
    said.append(_seeds(report))
    return " ".join(filter(None, said))


def _seeds(report: Report) -> str:
    """Say how many seeds the cards are based on."""
    seeds = report.get(SeedsResult)
    if seeds is None:
        return "One seed, one classifier: two more seeds would show how stable this is."
    return f"These cards describe one of {len(seeds.runs)} seeds, whose spread is shown below, and one classifier."


def _names_few(report: Report) -> bool:
    found = forget_verdicts(report)
    return bool(found) and found[deciding_set(found)].retrained.accuracy <= NEARLY_NONE
