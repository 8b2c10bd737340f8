"""Warnings on a run: over-forgetting (the Streisand effect), collateral damage, residual knowledge, exposed images.

They say what the verdict says, each with its own numbers: damage is a retain set that is reduced or lost by the rule of
the verdicts; residual knowledge and over-forgetting are the claims (`claims`) that more, or less, is left than in the
retrained model. Retained copies are images that the model may keep and that are copies of forget images, which is no
matter of chance. The absence of a warning proves nothing, and its text says so.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from unlearn_core.charts.drawing.wording import (
    capitalize,
    describe_change,
    is_class_request,
    join_words,
    percent,
    retain_test_label,
)
from unlearn_core.charts.text.attack_claims import exposure_claim
from unlearn_core.charts.text.claim import Direction
from unlearn_core.charts.text.claims import forget_claims
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.verdicts.report_verdicts import class_comparisons, reference, retain_verdict


class ReportWarning(NamedTuple):
    """A finding: its title in two or three words, the numbers behind it, and what it does not prove."""

    kind: Literal["beyond", "copies", "damage", "exposed", "left", "search"]
    title: str
    words: str
    doubt: str


def report_warnings(report: Report) -> list[ReportWarning]:
    """Return all warnings, the most serious first."""
    return [
        warning
        for warning in (
            collateral_damage(report),
            residual_knowledge(report),
            over_forgetting(report),
            exposed_images(report),
            retained_copies(report),
            unfit_settings(report),
        )
        if warning is not None
    ]


def no_warning_text(report: Report) -> str:
    """Return what it means that no warning was raised, by the evidence that was looked at."""
    checked = ["accuracy on the retain set"] if retain_verdict(report) else []
    checked += [f"{claim.evidence} on the forget set" for claim in forget_claims(report)]
    exposed = exposure_claim(report)
    checked += [exposed.evidence] if exposed else []
    if not checked:
        return "None of the checks for warnings could be made."
    return f"No warning by {join_words(checked, limit=8)}. More images or a stronger attack might find something."


def over_forgetting(report: Report) -> ReportWarning | None:
    """Warn if less is left of the forget images than in the retrained model, which reveals them."""
    words = _claimed(report, "beyond")
    if not words:
        return None
    doubt = (
        "To find them, an attacker needs the model's outputs and test images to compare with. It does not follow that "
        "the content of the images can be reconstructed."
    )
    title = "over-forgetting" if "gold" in report.evaluations else "less familiar than unseen"
    return ReportWarning("beyond", title, f"{words} (the Streisand effect).", doubt)


def exposed_images(report: Report) -> ReportWarning | None:
    """Warn if an attack finds retained images more easily than in the retrained model."""
    claim = exposure_claim(report)
    if claim is None or claim.direction != "left":
        return None
    noun = report.dataset.item_noun
    doubt = f"This is an average over retained {noun}s, and one simple attack: it does not show which are exposed."
    return ReportWarning("exposed", f"exposed retained {noun}s", f"{capitalize(claim.words)}.", doubt)


def retained_copies(report: Report) -> ReportWarning | None:
    """Warn if images outside of the forget set are copies of forget images."""
    result = report.get(CopiesResult)
    words = "" if result is None else copies_sentence(result.counts, report.dataset.item_noun)
    if not words:
        return None
    doubt = "Pixels were compared: two images may also show the same thing without being copies."
    return ReportWarning("copies", "retained copies", words, doubt)


def copies_sentence(counts: Mapping[str, int], noun: str) -> str:
    """Say how many images of the retain sets are copies of forget images, and what follows; "" without any."""
    train, held_out = counts["retain_train"], counts["retain_val"] + counts["retain_test"]
    said = []
    if train:
        stays = "what it teaches stays" if train == 1 else "what they teach stays"
        said.append(f"{_copies(train, f'retained training {noun}')} of forget {noun}s: {stays}.")
    if held_out:
        said.append(
            f"{_copies(held_out, f'retained validation or test {noun}')} of forget {noun}s: the accuracy there may "
            "fall without harm to the rest."
        )
    return " ".join(said)


def _copies(count: int, noun: str) -> str:
    return f"1 {noun} is an exact or near copy" if count == 1 else f"{count:,} {noun}s are exact or near copies"


def unfit_settings(report: Report) -> ReportWarning | None:
    """Warn if the run looked for hyperparameters, and none that it tried reached its goal.

    Tries that were shorter than the run are no reason: it may reach what they did not, as the verdicts tell.
    """
    result = report.get(TuningResult)
    if result is None or result.works or result.reason or result.share < 1:
        return None
    tries = f"None of the {len(result.tried)} settings" if len(result.tried) > 1 else "The setting"
    words = f"{tries} tried at the start of the run reached the goal on validation images, so the closest was used."
    doubt = "Another method may do better here: the page Method has them all."
    return ReportWarning("search", "no fitting settings", words, doubt)


def _claimed(report: Report, direction: Direction) -> str:
    """Return the claims of one direction as a sentence without its full stop; "" if there is none."""
    found = [claim for claim in forget_claims(report) if claim.direction == direction]
    return capitalize(join_words([claim.words for claim in found])) if found else ""


def residual_knowledge(report: Report) -> ReportWarning | None:
    """Warn if more is left of the forget images than in the retrained model."""
    words = _claimed(report, "left")
    if not words:
        return None
    doubt = "This is an average: it does not show which images are remembered, nor that they could be reconstructed."
    return ReportWarning("left", "residual knowledge", f"{words}.", doubt)


def collateral_damage(report: Report) -> ReportWarning | None:
    """Warn if the accuracy on the retain set is reduced or lost."""
    found = retain_verdict(report)
    if found is None or found.finding not in ("reduced", "lost"):
        return None
    before = found.original.reference
    words = f"On {retain_test_label(report)}, the unlearned model {describe_change(before, found.deciding.accuracy)}"
    if reference(report) == "gold":
        words += f"; the retrained model {describe_change(before, found.deciding.reference)}"
    doubt = "Further training may recover some of it; this run does not show how much."
    return ReportWarning("damage", "damage", f"{words}{_worst_class(report)}.", doubt)


def _worst_class(report: Report) -> str:
    """Return the retained class that is shown to have lost most, if there is one."""
    if not is_class_request(report):
        return ""
    shown = {
        number: one for number, (one, relation) in class_comparisons(report).items() if relation in ("lower", "lost")
    }
    if not shown:
        return ""
    worst = min(shown, key=lambda place: shown[place].difference)
    after, other = percent(shown[worst].accuracy, 0), percent(shown[worst].reference, 0)
    beside = "retrained" if reference(report) == "gold" else "before"
    return f"; the worst class is {report.dataset.classes[worst]} ({after}, {beside} {other})"
