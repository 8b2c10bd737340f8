"""One verdict as a card, and how its shares, differences and numbers of images are written."""

from typing import Literal, NamedTuple

from unlearn_core.charts.drawing.wording import number, percent
from unlearn_core.domain.report import Report
from unlearn_core.domain.verdicts.paired_comparison import Comparison
from unlearn_core.domain.verdicts.report_verdicts import num_retrained
from unlearn_core.domain.verdicts.rule import FEWEST_IMAGES, more_images

Tone = Literal["good", "middling", "bad", "unknown"]


class Headline(NamedTuple):
    """The number of a card: what was counted, its value, what it is compared with, and the difference of the two."""

    label: str
    value: str
    compared: str
    difference: str
    """With its 90 % interval; "" where nothing is compared."""


class Verdict(NamedTuple):
    """One card: a title of a few words, its tone, and the numbers behind it in a sentence or two."""

    title: str
    tone: Tone
    words: str
    clause: str = ""
    """The title as a part of the sentence that answers what the report asks."""
    headline: Headline | None = None
    """The number that decides; None where there is none."""


def no_outputs(report: Report) -> Verdict:
    """The card of a report that lacks the outputs of the original or the unlearned model."""
    reason = next((report.missing[model] for model in ("before", "after") if model in report.missing), "")
    words = reason or "This report has no outputs of the two models to compare."
    return Verdict("unknown", "unknown", words, "the outputs that would answer this are missing")


def headline(label: str, found: Comparison, *, reference: str, before: Comparison | None = None) -> Headline:
    """The number of a card from its comparison with what `reference` names; `before` is that with the original."""
    of = f" of {found.images:,}" if found.images < FEWEST_IMAGES else ""
    compared = f"{reference}: {share(found.reference, found.images)}{of}"
    if before is not None and before is not found:
        compared += f", before: {share(before.reference, before.images)}{of}"
    return Headline(label, f"{share(found.accuracy, found.images)}{of}", compared, interval(found))


def share(value: float, images: int) -> str:
    """A share in percent, or as a count where there are few images."""
    return percent(value) if images >= FEWEST_IMAGES else number(value * images, 0)


def interval(comparison: Comparison) -> str:
    """A difference as "−2.5 points (−3.9 to −1.1)", or in images where there are few."""
    return difference(comparison.difference, comparison.low, comparison.high, images=comparison.images)


def difference(value: float, low: float, high: float, *, images: int) -> str:
    """The same from a difference of shares (-1 to 1) and the ends of its interval."""
    if images < FEWEST_IMAGES:
        count = value * images
        return f"{signed(count, 0)} image{'' if round(abs(count)) == 1 else 's'}"
    return f"{signed(100 * value)} points ({signed(100 * low)} to {signed(100 * high)})"


def retrained_models(report: Report) -> str:
    """What the reference of a verdict is called: "retrained model", or "mean of 3 retrained models"."""
    count = num_retrained(report)
    return "retrained model" if count == 1 else f"mean of {count} retrained models"


def images_needed(comparison: Comparison) -> str:
    """How many images would show that two models are equal, beside how many there are."""
    needed = max(more_images(comparison), comparison.images + 1)
    return f"About {needed:,} images would tell; these are {comparison.images:,}."


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, and none for zero."""
    text = number(value, digits)
    return f"+{text}" if value > 0 and float(f"{value:.{digits}f}") else text
