"""The card on similarity to the retrained model: are forget images classified as it classifies them?

It is the share of forget images for which after and gold predict the same class, judged by the rule of
`domain/verdicts/rule.py`. The reference is how often other golds agree with gold. Where there are none, it is what
hiding would give: the model before with the outputs of the forgotten classes removed (for single images, the model
before as it is); two models from different seeds agree no more than that, whatever they forgot. The distance to gold is
shown next to it, with that between two golds where there are two.
"""

from collections.abc import Mapping
from math import isnan

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import is_class_request
from unlearn_core.charts.text.card import Tone, Verdict, headline, images_needed, interval, share
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.verdicts.report_verdicts import gold_agreement
from unlearn_core.domain.verdicts.rule import FEWEST_IMAGES, Relation

_TITLES: Mapping[Relation, tuple[str, Tone]] = {
    "equal": ("like retrained", "good"),
    "higher": ("like retrained", "good"),
    "lower": ("less like retrained", "middling"),
    "lost": ("unlike retrained", "bad"),
    "unclear": ("cannot tell", "unknown"),
}


def gold_card(report: Report) -> Verdict:
    """Judge whether it classifies forget images as the retrained model does."""
    found = gold_agreement(report)
    if found is None:
        return Verdict("not retrained yet", "unknown", report.missing.get("gold", NO_GOLD))
    own, noun = found.comparison, report.dataset.item_noun
    title, tone = _TITLES[found.relation]
    of = f"{own.images:,} forget {noun}{'' if own.images == 1 else 's'}"
    words = f"It agrees with the retrained model on {share(own.accuracy, own.images)} of {of}."
    reached = share(own.reference, own.images)
    if found.num_others:
        words += f" {'Another does' if found.num_others == 1 else 'Others do'} on {reached}"
        reference = "a second retrained model" if found.num_others == 1 else "other retrained models"
    elif is_class_request(report):
        words += f" Blocking that output would reach {reached}"
        reference = "blocking that output"
    else:
        words += f" The original model agrees on {reached}"
        reference = "before"
    words += "." if own.images < FEWEST_IMAGES else f", difference {interval(own)}."
    words += f" {images_needed(own)}" if found.relation == "unclear" else ""
    number = headline("same prediction as the retrained model", own, reference=reference)
    return Verdict(title, tone, f"{words}{_distance(report)}", headline=number)


def _distance(report: Report) -> str:
    """Describe the distance to gold, with that between two golds where there are two."""
    result = report.get(DistanceResult)
    if result is None:
        return ""
    overall = result.overall.get("test")
    if overall is None:
        return ""
    unknown = isnan(overall.between_golds)
    spread = "spread unknown: only one" if unknown else f"two retrained models: {overall.between_golds:.3f}"
    return f" Distance to the retrained model: {overall.before:.3f} → {overall.after:.3f} bits ({spread})."
