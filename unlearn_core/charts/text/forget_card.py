"""The card on the forget set: what accuracy says by the rule of the verdicts, and what other evidence says.

Where the two disagree, one sentence names both (`claims`).
"""

from collections.abc import Mapping, Sequence

from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.wording import (
    capitalize,
    expected_prediction,
    forgotten_classes,
    is_class_request,
    join_words,
)
from unlearn_core.charts.text.card import (
    Headline,
    Tone,
    Verdict,
    headline,
    images_needed,
    no_outputs,
    retrained_models,
    share,
)
from unlearn_core.charts.text.claim import Claim, Direction
from unlearn_core.charts.text.claims import forget_claims
from unlearn_core.domain.report import Report
from unlearn_core.domain.verdicts import report_verdicts
from unlearn_core.domain.verdicts.paired_comparison import MARGIN, compare
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts
from unlearn_core.domain.verdicts.rule import (
    ForgetFinding,
    ForgetVerdict,
    deciding_set,
)

_FORGET_TITLES: Mapping[ForgetFinding, tuple[str, Tone, str]] = {
    "as retrained": ("forgotten as by retraining", "good", "the model forgot {} as retraining would"),
    "more than retrained": ("more than retraining would", "middling", "the model forgot {} more than retraining would"),
    "partly": ("partly forgotten", "middling", "the model forgot {} only in part"),
    "not": ("not forgotten", "bad", "the model did not forget {}"),
    "cannot tell": ("cannot tell", "unknown", "whether the model forgot {} cannot be told"),
}
"""The title of a finding by accuracy, its tone, and the clause, with a place for the forget set."""
_OTHER_EVIDENCE: Mapping[Direction, tuple[str, str]] = {
    "left": ("something is left", "something of {} is left in the model"),
    "beyond": ("more than retraining would", "the model forgot {} more than retraining would"),
    "distinguishable": ("unlike retraining", "the model can be told from one retrained without {}"),
}
"""Title and clause where accuracy finds it forgotten and other evidence disagrees, the most serious first."""
_DISAGREEING: Mapping[ForgetFinding, tuple[Direction, ...]] = {
    "as retrained": ("left", "beyond", "distinguishable"),
    "cannot tell": ("left", "beyond", "distinguishable"),
    "more than retrained": ("left",),
    "partly": ("beyond",),
    "not": ("beyond",),
}
"""The directions of other evidence that disagree with a finding by accuracy."""


def finding_title(finding: ForgetFinding) -> str:
    """What a finding by accuracy is called."""
    return _FORGET_TITLES[finding][0]


def forget_card(report: Report) -> Verdict:
    """Judge whether the forget set was forgotten, by all evidence that the report has."""
    found = forget_verdicts(report)
    if not found:
        return _no_forget_verdict(report)
    name = deciding_set(found)
    one = found[name]
    title, tone, clause = _FORGET_TITLES[one.finding]
    words = [_numbers(report, name, one)]
    if one.finding == "cannot tell":
        words.append(_too_few(one))
    if "gold" not in report.evaluations:
        words.append(f"{NO_GOLD} A model that was not trained on them would classify none correctly.")
    others = [claim for claim in forget_claims(report) if claim.evidence != "accuracy"]
    against = [claim for claim in others if claim.direction in _DISAGREEING[one.finding]]
    if against:
        words.append(_disagreement(one.finding, against))
        if one.finding in ("as retrained", "cannot tell"):
            shown = {claim.direction for claim in against}
            title, clause = next(texts for direction, texts in _OTHER_EVIDENCE.items() if direction in shown)
            tone = "middling"
    probed = [claim for claim in others if claim.evidence == "linear probe" and claim not in against]
    words += [f"{capitalize(claim.words)}." for claim in probed]
    return Verdict(title, tone, " ".join(words), clause.format(report.forget_set_title), _headline(report, name, one))


def _no_forget_verdict(report: Report) -> Verdict:
    if not report_verdicts.is_judged(report):
        return no_outputs(report)
    rows = report.split.forget_train
    after, before = (report_verdicts.correct_predictions(report, model, rows) for model in ("after", "before"))
    noun = report.dataset.item_noun
    of = f"the forget {noun}" if len(rows) == 1 else f"the {len(rows):,} forget {noun}s"
    if not len(rows):
        title, tone, clause = _FORGET_TITLES["cannot tell"]
        words = f"There are no forget {noun}s to compare the models on."
        return Verdict(title, tone, words, clause.format(report.forget_set_title))
    words = f"{share(after.mean(), len(rows))} of {of} are still {expected_prediction(report)} "
    words += f"(before: {share(before.mean(), len(rows))}). Only a retrained model can show how many should be."
    clause = f"only a retrained model can show whether the model forgot {report.forget_set_title}"
    number = headline(f"forget {noun}s {expected_prediction(report)}", compare(after, before), reference="before")
    return Verdict("no reference yet", "unknown", words, clause, number)


def _headline(report: Report, name: str, one: ForgetVerdict) -> Headline:
    if "gold" not in report.evaluations:
        return headline(_what(report, name), one.original, reference="before")
    return headline(_what(report, name), one.retrained, reference=retrained_models(report), before=one.original)


def _what(report: Report, name: str) -> str:
    """Return which images of a set are counted."""
    still = f"predicted as {report.forget_set_title}" if _is_single(report) else expected_prediction(report)
    return f"{_items(report, name)} {still}"


def _is_single(report: Report) -> bool:
    return len(forgotten_classes(report)) == 1


def _items(report: Report, name: str) -> str:
    """Return what the images of a set are called."""
    kind, items = "training" if name == "forget_train" else "test", f"{report.dataset.item_noun}s"
    return f"{kind} {items} of {report.forget_set_title}" if is_class_request(report) else f"forget {items}"


def _numbers(report: Report, name: str, one: ForgetVerdict) -> str:
    """Return how many images of the set that decides are classified correctly by each model."""
    shown = one.retrained
    still = f"predicted as {report.forget_set_title}" if _is_single(report) else expected_prediction(report)
    words = f"{share(shown.accuracy, shown.images)} of {shown.images:,} {_items(report, name)} are still {still}"
    words += f" (before: {share(one.original.reference, shown.images)}"
    if "gold" not in report.evaluations:
        return f"{words})."
    return f"{words}; {retrained_models(report)}: {share(shown.reference, shown.images)})."


def _too_few(one: ForgetVerdict) -> str:
    """Say why accuracy cannot tell, and how many images could."""
    if abs(one.gap.difference) < MARGIN:
        return "Accuracy cannot decide here: the original is like the retrained model."
    return images_needed(one.retrained)


def _disagreement(finding: ForgetFinding, against: Sequence[Claim]) -> str:
    """Name what accuracy finds and what other evidence finds, in one sentence."""
    by_accuracy = {
        "as retrained": "By accuracy it is forgotten, but ",
        "cannot tell": "Accuracy cannot tell, but ",
        "more than retrained": "Accuracy is lower than that of the retrained model, but ",
        "partly": "By accuracy something is left, but ",
        "not": "By accuracy it is not forgotten, but ",
    }
    return f"{by_accuracy[finding]}{join_words([claim.words for claim in against])}."
