"""The scores of papers in words: beside their parts, and only where all of these exist."""

from dataclasses import replace

import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.text.score_words import average_gap_words, score_lines, tug_of_war_words
from unlearn_core.domain.results.outputs import SummaryScoresResult
from unlearn_core.domain.results.predictions import AccuracyResult

REPORT = made_up_report()


def test_a_score_is_beside_its_parts() -> None:
    scores = REPORT[AccuracyResult].scores
    gaps = [
        abs(scores["after"][name].accuracy - scores["gold"][name].accuracy)
        for name in ("forget_train", "retain_train", "retain_test")
    ]
    value, parts = tug_of_war_words(REPORT).split(" ", 1)
    assert float(value) == pytest.approx((1 - gaps[0]) * (1 - gaps[1]) * (1 - gaps[2]), abs=0.0006)
    assert parts == "(forget {:.1f}, retain {:.1f}, test {:.1f})".format(*(100 * gap for gap in gaps))
    shares = REPORT[SummaryScoresResult].shares
    mean = sum(abs(shares["after"][part] - own) for part, own in shares["gold"].items()) / 4
    assert float(average_gap_words(REPORT).split("\N{NO-BREAK SPACE}")[0]) == pytest.approx(100 * mean, abs=0.06)
    assert average_gap_words(REPORT).count(",") == 3


def test_a_score_whose_parts_are_missing_is_left_out() -> None:
    assert tug_of_war_words(made_up_report(gold=False)) == average_gap_words(made_up_report(gold=False)) == ""
    earlier = replace(REPORT, parts={"accuracy": REPORT.parts["accuracy"]})
    assert tug_of_war_words(earlier) == tug_of_war_words(REPORT), "accuracies are enough"
    scores = {model: {name: own for name, own in sets.items() if name != "retain_train"} for model, sets in
              REPORT[AccuracyResult].scores.items()}  # fmt: skip
    assert tug_of_war_words(REPORT.with_result(AccuracyResult(scores=scores))) == ""
    assert len(score_lines([("a", REPORT), ("b", earlier)])) == 3
