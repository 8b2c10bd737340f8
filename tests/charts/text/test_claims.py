"""Claims on outputs and features: made only beyond the retrained model's own range, and told by their charts."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.predictions import first, with_correct
from unlearn_core.charts.report import entropy, true_logit
from unlearn_core.charts.text.claims import (
    confidence_claim,
    entropy_claim,
    forget_claims,
    representation_claim,
)
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureGap
from unlearn_core.domain.results.outputs import LogitsResult

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
