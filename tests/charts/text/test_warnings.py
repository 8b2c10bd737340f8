"""Flags are raised where chance does not explain what was found, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import attack_metrics, made_up_report, score
from unlearn_core.charts.text.warnings import (
    collateral_damage,
    no_warning_text,
    over_forgetting,
    report_warnings,
    residual_knowledge,
)
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.predictions import AccuracyResult, ConfusionResult
from unlearn_core.domain.results.privacy import MembershipResult

REPORT = made_up_report()


def attacked(after: float, gold: float | None, *, half: float = 0.05) -> Report:
    """A report in which one attack has these AUCs, with intervals of this half width."""
    report = made_up_report(gold=gold is not None)
    aucs = {"before": 0.6, "after": after} | ({} if gold is None else {"gold": gold})
    attacks = {model: {"loss": attack_metrics(auc, half)} for model, auc in aucs.items()}
    return report.with_result(report[MembershipResult].model_copy(update={"attacks": attacks}))


def scored(before: int, after: int, gold: int | None) -> Report:
    """A report with so many of 1,000 unseen kept pictures named rightly."""
    given = {"before": before, "after": after} | ({} if gold is None else {"gold": gold})
    gone = {"forget_test": score(0, 200), "forget_train": score(0, 300)}
    scores = {model: {"retain_test": score(right, 1000), **gone} for model, right in given.items()}
    report = made_up_report(gold=gold is not None)
    return replace(report, parts=stored(AccuracyResult(scores=scores)))


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("after", "gold", "kinds"),
    [
        (0.5, 0.5, []),
        (0.3, 0.5, ["beyond"]),
        (0.3, 0.32, []),  # Gold finds them as strange.
        (0.47, 0.6, []),  # The interval still holds one half.
        (0.4, None, ["beyond"]),
        (0.7, 0.5, ["left"]),
        (0.7, 0.68, []),
        (0.53, 0.4, []),
        (0.7, None, ["left"]),
    ],
)
def test_attacks_raise_a_flag_in_either_direction(after: float, gold: float | None, kinds: list[str]) -> None:
    report = attacked(after, gold)
    assert [flag.kind for flag in (residual_knowledge(report), over_forgetting(report)) if flag] == kinds


def test_words_name_the_figure_gold_and_what_is_not_proved() -> None:
    flag = over_forgetting(attacked(0.3, 0.5))
    assert flag is not None and flag.title == "over-forgetting"
    assert plain(flag.words) == (
        "By loss, a forget image looks more familiar than a held-out image in only 30 % of all pairs (retrained model: "
        "50 %): forget images now look less familiar than held-out images, which itself reveals them (the Streisand "
        "effect)."
    )
    assert "does not follow" in flag.doubt
    without = residual_knowledge(attacked(0.7, None))
    assert without is not None and "no retrained model yet" in without.words and "does not show" in without.doubt


@pytest.mark.parametrize(
    ("before", "after", "gold", "words"),
    [
        (
            860,
            700,
            870,
            "On test images of the other classes, the unlearned model lost 16.0 points; "
            "the retrained model gained 1.0 points.",
        ),
        (860, 700, None, "On test images of the other classes, the unlearned model lost 16.0 points."),
        (860, 850, 870, None),  # The intervals overlap.
        (
            700,
            705,
            860,
            "On test images of the other classes, the unlearned model gained 0.5 points; "
            "the retrained model gained 16.0 points.",
        ),
        (860, 900, 870, None),
    ],
)
def test_damage_is_more_than_chance_explains(before: int, after: int, gold: int | None, words: str | None) -> None:
    flag = collateral_damage(scored(before, after, gold))
    assert (flag and plain(flag.words)) == words


def test_damage_names_the_class_that_is_worst_off() -> None:
    report = scored(860, 700, 870)
    rows = [score(90, 100)] * 10
    after = [*rows[:8], score(20, 100), rows[9]]
    forgotten = [score(0, 100) if place == 3 else one for place, one in enumerate(after)]
    scores = {"before": rows, "after": forgotten, "gold": rows}
    flag = collateral_damage(report.with_result(REPORT[ConfusionResult].model_copy(update={"scores": scores})))
    assert flag is not None and plain(flag.words).endswith("; the worst class is ship (20 %, retrained 90 %).")


def test_hesitation_tells_where_no_attack_was_tried() -> None:
    untried = replace(REPORT, parts={name: part for name, part in REPORT.parts.items() if name != "membership"})
    result = REPORT[LogitsResult]

    def with_entropy(value: float) -> Report:
        entropy = {**result.entropy, "after": np.full_like(result.entropy["after"], value)}
        return untried.with_result(result.model_copy(update={"entropy": entropy}))

    flag = over_forgetting(with_entropy(2.2))
    assert flag is not None and "above 2.20 nats" in flag.words
    assert over_forgetting(with_entropy(0.01)) is None
    bare = made_up_report(gold=False)
    assert over_forgetting(replace(bare, parts=stored(bare[LogitsResult]))) is None


def test_no_flag_is_no_proof() -> None:
    fine = scored(860, 865, 870)
    assert report_warnings(fine) == []
    assert no_warning_text(fine) == (
        "No warning: the basic checks found no damage to the retain set. A stronger attack might. "
        "Membership was not measured."
    )
    both = fine.with_result(attacked(0.5, 0.5)[MembershipResult])
    assert report_warnings(both) == [] and "no residual knowledge and no over-forgetting" in no_warning_text(both)
    assert "None of the checks" in no_warning_text(replace(fine, parts={}))


def test_the_gravest_comes_first() -> None:
    report = attacked(0.7, 0.5)
    worse = report.with_result(scored(860, 500, 870)[AccuracyResult])
    assert [flag.kind for flag in report_warnings(worse)] == ["damage", "left"]


def test_what_is_still_named_is_left_whatever_attacks_say() -> None:
    report = scored(860, 865, 870)
    scores = {model: dict(sets) for model, sets in report[AccuracyResult].scores.items()}
    scores["before"]["forget_test"] = scores["after"]["forget_test"] = score(190, 200)
    named = report.with_result(AccuracyResult(scores=scores))
    assert [flag.kind for flag in report_warnings(named)] == ["left"]
    assert "still classified correctly" in report_warnings(named)[0].words
