"""What a report says of wrong training labels: whether the accuracy on their classes came back, and its confusions."""

from collections.abc import Mapping

from unlearn_core.charts.drawing.wording import MODEL_LABELS, describe_change, join_words, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.domain.verdicts.report_verdicts import correction_verdict
from unlearn_core.domain.verdicts.rule import Relation

_TO_ORIGINAL: Mapping[Relation, str] = {
    "equal": "equal within three points",
    "higher": "more than chance explains",
    "lower": "more than chance explains",
    "lost": "more than chance explains",
    "unclear": "which may be chance",
}
_TO_RETRAINED: Mapping[Relation, str] = {
    "equal": "it came back as far as by retraining",
    "higher": "it is above that of the retrained model",
    "lower": "it is still below that of the retrained model",
    "lost": "it is still below that of the retrained model",
    "unclear": "no difference from the retrained model is shown",
}
_NOTHING_LOST = "retraining is not shown to raise it, so accuracy cannot say whether it came back"


def correction_line(report: Report) -> str:
    """Return whether the accuracy on classes with wrong labels came back; "" where no label is known to be wrong."""
    result = report.get(InterclassConfusionResult)
    return "" if result is None else f"{_accuracy(report, result)}. {_confused(result)}.{_unknown(result)}"


def _accuracy(report: Report, result: InterclassConfusionResult) -> str:
    verdict = correction_verdict(result)
    one, names = verdict.original, join_words([report.dataset.classes[number] for number in result.classes])
    words = f"Accuracy on {one.images:,} test images of {names} {describe_change(one.reference, one.accuracy)} "
    words += f"({percent(one.reference)} → {percent(one.accuracy)}), {_TO_ORIGINAL[verdict.original_relation]}"
    if verdict.retrained is None or verdict.retrained_relation is None:
        return words
    said = _TO_RETRAINED[verdict.retrained_relation] if verdict.can_come_back else _NOTHING_LOST
    return f"{words}; {said} ({percent(verdict.retrained.reference)})"


def _confused(result: InterclassConfusionResult) -> str:
    shown = [model for model in MODELS if model in result.confused]
    shares = [f"{percent(result.confused[model].accuracy)} {MODEL_LABELS[model]}" for model in shown]
    return f"Taken for each other: {', '.join(shares)}"


def _unknown(result: InterclassConfusionResult) -> str:
    """Say how many wrong labels are not forgotten, which matters to the reference."""
    left = result.num_mislabelled - result.num_forgotten
    if not left:
        return ""
    also = " The retrained model was trained on these as well." if "gold" in result.accuracy else ""
    return f" {left:,} of {result.num_mislabelled:,} wrong labels are not in the forget set.{also}"
