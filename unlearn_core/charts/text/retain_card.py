"""The card on the retain set: is its accuracy that of the retrained model, by the rule of `domain/verdicts/rule.py`?"""

from collections.abc import Mapping
from math import isnan

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import (
    capitalize,
    is_class_request,
    percent,
    retain_set_label,
    retain_test_label,
)
from unlearn_core.charts.text.card import (
    Tone,
    Verdict,
    headline,
    images_needed,
    interval,
    no_outputs,
    retrained_models,
    share,
)
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.verdicts import report_verdicts
from unlearn_core.domain.verdicts.report_verdicts import retain_verdict
from unlearn_core.domain.verdicts.rule import (
    FEWEST_IMAGES,
    RetainFinding,
)

_RETAIN_TONES: Mapping[RetainFinding, tuple[Tone, str]] = {
    "retained": ("good", "it retained {}"),
    "higher": ("good", "it does better on {}"),
    "reduced": ("middling", "it does slightly worse on {}"),
    "lost": ("bad", "it lost accuracy on {}"),
    "cannot tell": ("unknown", "whether it retained {} cannot be told"),
}
"""The tone of a finding, and its clause with a place for what is retained."""


def retain_card(report: Report) -> Verdict:
    """Judge whether the accuracy on the retain set is that of the retrained model; without one, of the original."""
    found = retain_verdict(report)
    if found is None:
        if not report_verdicts.is_judged(report):
            return no_outputs(report)
        words = f"There are no {retain_test_label(report)}, so what was retained was not measured."
        return Verdict("not measured", "unknown", words, f"what it retained of {retain_set_label(report)} is unknown")
    label = retain_set_label(report).removeprefix("the ") if is_class_request(report) else retain_test_label(report)
    own = found.deciding
    before = share(found.original.reference, own.images).split(chr(160))[0]
    of = f" of {own.images}" if own.images < FEWEST_IMAGES else ""
    words = f"{capitalize(label)}: {before} → {share(own.accuracy, own.images)}{of}."
    has_gold = "gold" in report.evaluations
    if has_gold:
        words += f" {capitalize(retrained_models(report))}: {share(own.reference, own.images)}{of}"
        words += f", difference {interval(own)}."
    words += f" Difference to before: {interval(found.original)}."
    words += f" {images_needed(own)}" if found.finding == "cannot tell" else ""
    words += _balanced(report)
    words += "" if has_gold else f" {NO_GOLD}"
    title = found.finding if has_gold else f"{found.finding}, against before"
    tone, clause = _RETAIN_TONES[found.finding]
    reference = retrained_models(report) if has_gold else "before"
    number = headline(f"{label} classified correctly", own, reference=reference, before=found.original)
    return Verdict(title, tone, words, clause.format(retain_set_label(report)), number)


def _balanced(report: Report) -> str:
    """Give the balanced accuracies where classes are very unequal."""
    result = report.get(AccuracyResult)
    if result is None or isnan(result.scores["after"]["retain_test"].balanced):
        return ""
    before, after, gold = (result.scores.get(model, {}).get("retain_test") for model in MODELS)
    assert before is not None and after is not None
    reference = f" (retrained model: {percent(gold.balanced)})" if gold else ""
    return f" Balanced accuracy: {percent(before.balanced)} → {percent(after.balanced)}{reference}."
