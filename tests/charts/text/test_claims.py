"""Claims on outputs and features: made only beyond the retrained model's own range, and told by their charts."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_curves import representation
from tests.charts.fake_reports import made_up_report
from tests.charts.predictions import first, with_correct
from unlearn_core.charts.report import entropy, true_logit
from unlearn_core.charts.text.claims import (
    confidence_claim,
    entropy_claim,
    forget_claims,
    probe_claim,
    representation_claim,
)
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureGap
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.verdicts.paired_comparison import compare
from unlearn_core.domain.verdicts.rule import relations

REPORT = made_up_report()


def with_values(report: Report, **values: float) -> Report:
    """The report in which every image has this entropy, or this logit of its true class, after unlearning."""
    result = report[LogitsResult]
    changed = {
        name: {**getattr(result, name), "after": np.full_like(getattr(result, name)["after"], value)}
        for name, value in values.items()
    }
    return report.with_result(result.model_copy(update=changed))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_only_beyond_nine_in_ten_of_the_retrained_model_is_something_claimed(share: float) -> None:
    rows = REPORT.split.forget_test
    found = {name: getattr(REPORT[LogitsResult], name)["gold"][rows] for name in ("entropy", "true_logit")}
    report = with_values(REPORT, **{name: float(np.quantile(values, share)) for name, values in found.items()})
    claims = entropy_claim(report), confidence_claim(report)
    assert all(claims)
    directions = [claim.direction for claim in claims if claim]
    expected = {0.05: ["distinguishable", "beyond"], 0.95: ["beyond", "left"]}.get(share, ["unclear", "unclear"])
    assert directions == expected
    for chart, direction in zip((entropy, true_logit), directions, strict=True):
        assert ("so it is far" in chart.summary(report)) == (direction != "unclear")


def test_without_a_reference_nothing_is_claimed() -> None:
    for report in (made_up_report(gold=False), replace(REPORT, parts={})):
        assert (entropy_claim(report), confidence_claim(report), representation_claim(report)) == (None, None, None)


def with_gap(difference: float, error: float) -> Report:
    """A report whose accuracy is as retrained, with features that differ so much from those of a second gold."""
    gap = FeatureGap(layer="head", after_gold=0.9 + difference, gold_twin=0.9, error=error)
    cka = CkaResult(images=64, forget_images=32, layers=[], reasons={}, gap=gap)
    known = {"forget_test": first(190, 200), "forget_train": first(290, 300)}
    gone = {"forget_test": first(0, 200), "forget_train": first(0, 300)}
    return replace(with_correct(REPORT, before=known, after=gone, gold=gone), parts={}).with_result(cka)


def test_features_change_the_verdict_where_chance_does_not_explain_them() -> None:
    shown, unclear = with_gap(-0.2, 0.05), with_gap(-0.09, 0.05)
    assert forget_card(unclear).title == "forgotten as by retraining"
    card = forget_card(shown)
    assert card.title == "unlike retraining"
    assert card.words.endswith(
        "By accuracy it is forgotten, but features in head are less similar to those of the retrained model (0.70, "
        "two retrained models 0.90)."
    )
    assert [claim.direction for claim in forget_claims(shown) if claim.evidence == "representation"] == [
        "distinguishable"
    ]


def probed(**shares: float) -> Report:
    """A report whose accuracy is as retrained, with what a probe finds of 200 forget images in each model."""
    return with_gap(0, 1).with_result(representation(list(shares.values()), REPORT.split, list(shares)))


@pytest.mark.parametrize("after", [0.5, 0.7, 0.76, 0.79, 0.81, 0.83, 0.85, 0.9, 1.0])
def test_features_hold_the_class_exactly_when_the_paired_test_shows_it(after: float) -> None:
    report = probed(before=0.86, after=after, gold=0.8)
    ours, theirs = (np.arange(200) < round(share * 200) for share in (after, 0.8))
    (relation,) = relations([compare(ours, theirs)])
    claim, card = probe_claim(report), forget_card(report)
    assert claim is not None and (claim.direction == "left") == (relation == "higher")
    assert ("eatures still hold cat" in card.words) == (relation == "higher")
    assert (card.title == "something is left") == (relation == "higher")
    pair = f"a linear probe on its features finds {100 * after:.1f}\N{NO-BREAK SPACE}% of 200 forget images, in the "
    pair += "retrained model 80.0\N{NO-BREAK SPACE}%"
    assert pair in card.words, "both figures are printed in any case"


def test_a_second_retrained_model_is_part_of_the_reference() -> None:
    alone, both = probed(before=0.86, after=0.86, gold=0.8), probed(before=0.86, after=0.86, gold=0.8, twin=0.9)
    found = [probe_claim(alone), probe_claim(both)]
    assert [claim.direction for claim in found if claim] == ["left", "unclear"]


def test_without_a_retrained_model_a_probe_claims_nothing() -> None:
    assert probe_claim(probed(before=0.86, after=0.86)) is None
