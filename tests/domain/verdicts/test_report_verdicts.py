"""Which retrained models a report's verdicts compare with."""

from dataclasses import replace

import numpy as np

from tests.charts.fake_reports import made_up_report
from tests.charts.predictions import first, with_correct, with_images
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.verdicts.report_verdicts import num_retrained, retain_verdict


def with_golds(report: Report, correct: list[int], numbers: list[int]) -> Report:
    """The report with further golds that classify so many of the retained test images correctly."""
    rows = report.split.retain_test
    right = np.eye(10)[report.labels[rows]]
    logits = [np.where(first(count, len(rows))[:, None], right, -right) for count in correct]
    return report.with_result(FurtherGolds(numbers=numbers, rows=rows, logits=np.stack(logits)))


def retaining(after: int, gold: int, *, twin: bool = False) -> Report:
    report = with_images(made_up_report(), retain_test=1000)
    if twin:
        report = replace(report, evaluations={**report.evaluations, "twin": report.evaluations["gold"]})
    sets = {"before": after, "after": after, "gold": gold} | ({"twin": gold} if twin else {})
    return with_correct(report, **{model: {"retain_test": first(count, 1000)} for model, count in sets.items()})


def test_further_golds_widen_the_interval_by_their_spread() -> None:
    one = retain_verdict(retaining(860, 860))
    alike = retain_verdict(with_golds(retaining(860, 860), [860, 860], [1, 2]))
    apart = retain_verdict(with_golds(retaining(860, 860), [840, 880], [1, 2]))
    assert one and alike and apart
    widths = [found.deciding.high - found.deciding.low for found in (one, alike, apart)]
    assert widths[0] <= widths[1] < widths[2]
    assert np.isclose(apart.deciding.reference, 0.86)
    assert num_retrained(with_golds(retaining(860, 860), [840, 880], [1, 2])) == 3


def test_a_second_gold_is_counted_once() -> None:
    """Its outputs ship, and it was trained here as well: both are number 1."""
    report = retaining(860, 860, twin=True)
    both = with_golds(report, [840, 880], [1, 2])
    assert (num_retrained(report), num_retrained(both)) == (2, 3)
    found = retain_verdict(both)
    assert found
    assert np.isclose(found.deciding.reference, (860 + 860 + 880) / 3000)


def test_without_gold_further_ones_do_not_decide() -> None:
    report = with_golds(with_images(made_up_report(gold=False), retain_test=1000), [840], [1])
    assert num_retrained(report) == 0
