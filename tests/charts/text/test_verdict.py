"""The three verdicts: titles follow the numbers and their intervals, and say what they cannot know."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import CAT, NO_GOLD, made_up_report, score
from unlearn_core.charts.text.verdict import caveats, forget_verdict, gold_verdict, retain_verdict, verdicts
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.predictions import AccuracyResult

REPORT = made_up_report()
PICTURES = made_up_report(images=True)


def scored(report: Report, **sets: dict[str, tuple[int, int]]) -> Report:
    """The report with these right answers and counts: set name -> model -> (right, of)."""
    scores = {model: dict(old) for model, old in report[AccuracyResult].scores.items()}
    for name, models in sets.items():
        for model, (right, of) in models.items():
            scores[model][name] = score(right, of)
    return report.with_result(AccuracyResult(scores=scores))


def cats(before: int, after: int, gold: int, trained: int = 0) -> Report:
    return scored(
        REPORT,
        forget_test={"before": (before, 200), "after": (after, 200), "gold": (gold, 200)},
        forget_train={"before": (950, 1000), "after": (trained, 1000), "gold": (0, 1000)},
    )


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("after", "gold", "title", "tone"),
    [
        (0, 0, "forgotten", "good"),
        (3, 0, "forgotten", "good"),  # The intervals still overlap.
        (30, 0, "nearly forgotten", "middling"),  # 80 % of the way from 150.
        (38, 0, "not forgotten", "bad"),
        (150, 0, "not forgotten", "bad"),
        (30, 22, "forgotten", "good"),
        (0, 22, "forgotten", "good"),  # Whole classes: less than gold is no fault.
    ],
)
def test_forgot_classes(after: int, gold: int, title: str, tone: str) -> None:
    assert forget_verdict(cats(150, after, gold))[:2] == (title, tone)


def test_forgot_words() -> None:
    assert plain(forget_verdict(cats(150, 0, 0)).words) == (
        "0.0 % of 200 test images of cat are still predicted as cat. Retrained model: 0.0 %."
    )


def test_what_it_was_trained_on_counts_too() -> None:
    verdict = forget_verdict(cats(150, 0, 0, trained=600))
    assert verdict[:2] == ("not forgotten", "bad")
    assert plain(verdict.words).endswith("Of the 1,000 training images, 60.0 % are.")


def people(before: int, after: int, gold: int, *, trained: tuple[int, int, int]) -> Report:
    """Two unseen pictures of somebody, and seven that it was trained on."""
    models = ("before", "after", "gold")
    return scored(
        REPORT,
        forget_test={model: (right, 2) for model, right in zip(models, (before, after, gold), strict=True)},
        forget_train={model: (right, 7) for model, right in zip(models, trained, strict=True)},
    )


def test_two_unseen_pictures_tell_nothing_and_seven_that_it_learned_do() -> None:
    verdict = forget_verdict(people(2, 1, 0, trained=(7, 1, 0)))
    assert verdict[:2] == ("forgotten", "good")
    assert plain(verdict.words).endswith(
        "Retrained model: 0.0 %. This cannot decide: the original and the retrained model do not differ significantly "
        "here. Of the 7 training images, 14.3 % are."
    )
    assert forget_verdict(people(2, 0, 0, trained=(7, 7, 0))).title == "not forgotten"
    assert forget_verdict(people(2, 1, 0, trained=(3, 1, 0)))[:2] == ("cannot tell", "unknown")


def test_forgotten_classes_have_a_yardstick_even_without_gold() -> None:
    bare = made_up_report(gold=False)
    done = scored(bare, forget_test={"after": (0, 200)}, forget_train={"after": (0, 300)})
    undone = scored(bare, forget_test={"after": (140, 200)}, forget_train={"after": (280, 300)})
    assert forget_verdict(done).title == "forgotten"
    assert forget_verdict(undone).title == "not forgotten"
    assert "There is no retrained model yet" in forget_verdict(done).words


@pytest.mark.parametrize(
    ("before", "after", "gold", "title", "tone"),
    [
        (990, 850, 850, "forgotten", "good"),
        (990, 890, 850, "forgotten", "good"),  # The intervals still overlap.
        (990, 920, 850, "not forgotten", "bad"),  # Half of the way.
        (999, 830, 780, "nearly forgotten", "middling"),
        (990, 990, 850, "not forgotten", "bad"),
        (990, 500, 850, "forgotten too much", "middling"),
        (855, 855, 850, "cannot tell", "unknown"),
    ],
)
def test_forgot_pictures(before: int, after: int, gold: int, title: str, tone: str) -> None:
    given = {"before": (before, 1000), "after": (after, 1000), "gold": (gold, 1000)}
    assert forget_verdict(scored(PICTURES, forget_train=given))[:2] == (title, tone)


def test_three_pictures_cannot_tell() -> None:
    given = {"before": (3, 3), "after": (2, 3), "gold": (2, 3)}
    assert forget_verdict(scored(PICTURES, forget_train=given)).tone == "unknown"


def test_single_pictures_without_gold_get_no_verdict() -> None:
    verdict = forget_verdict(made_up_report(images=True, gold=False))
    assert verdict[:2] == ("no reference yet", "unknown")


@pytest.mark.parametrize(
    ("after", "gold", "title", "words"),
    [
        (1552, 1579, "retained", "Other classes: 86.7 → 86.2 %. Retrained model: 87.7 %, 1.5 points below it."),
        (1600, 1579, "retained", "Other classes: 86.7 → 88.9 %. Retrained model: 87.7 %, 1.2 points above it."),
        (1579, 1579, "retained", "Other classes: 86.7 → 87.7 %. Retrained model: 87.7 %, equal."),
        (1510, 1579, "nearly retained", "Other classes: 86.7 → 83.9 %. Retrained model: 87.7 %, 3.8 points below it."),
        (900, 1579, "not retained", "Other classes: 86.7 → 50.0 %. Retrained model: 87.7 %, 37.7 points below it."),
    ],
)
def test_kept(after: int, gold: int, title: str, words: str) -> None:
    given = {"before": (1561, 1800), "after": (after, 1800), "gold": (gold, 1800)}
    verdict = retain_verdict(scored(REPORT, retain_test=given))
    assert verdict.title == title
    assert plain(verdict.words) == words


def test_kept_without_gold_is_held_against_before() -> None:
    bare = made_up_report(gold=False)
    lost = scored(bare, retain_test={"before": (1561, 1800), "after": (900, 1800)})
    assert retain_verdict(lost).title == "not retained"
    assert "no retrained model yet" in retain_verdict(lost).words
    assert retain_verdict(scored(bare, retain_test={"before": (1561, 1800), "after": (1550, 1800)})).title == "retained"


def answering(**answers: np.ndarray) -> Report:
    """The report with these answers (classes) to the 200 unseen cats; each next guess is the class after it."""
    rows, found = REPORT.split.forget_test, dict(REPORT.evaluations)
    for model, given in answers.items():
        logits = found[model].logits.copy()
        logits[rows] = np.eye(10, dtype=np.float32)[given] * 9 + np.eye(10, dtype=np.float32)[(given + 1) % 10]
        found[model] = Evaluation(model, "made-up", logits)
    return replace(REPORT, evaluations=found)


GOLD = np.repeat([5, 6, 2, 4], 50)


def test_like_gold_is_held_against_hiding_the_output() -> None:
    guess = np.where(np.arange(200) < 100, GOLD, 0)
    hidden = np.full(200, CAT)  # Before says cat to all; with cat taken away it says deer, as gold does to 50 of 200.
    assert gold_verdict(answering(before=hidden, gold=GOLD, after=GOLD)).title == "like retrained"
    verdict = gold_verdict(answering(before=hidden, gold=GOLD, after=guess))
    assert verdict.title == "like retrained"
    words = plain(verdict.words)
    assert words.startswith(
        "It agrees with the retrained model on 50.0 % of 200 test images of cat. Blocking that output would reach "
        "25.0 %. The distributions of predictions differ by 0.50. Distance to the retrained model: "
    )
    assert words.endswith("bits (spread unknown: only one).")
    assert gold_verdict(answering(before=GOLD, gold=GOLD, after=guess)).title == "unlike retrained"
    nearly = np.where(np.arange(200) % 10 == 0, 0, GOLD)
    assert gold_verdict(answering(before=GOLD, gold=GOLD, after=nearly)).title == "somewhat like retrained"


def test_two_golds_give_the_distance_its_yardstick() -> None:
    assert plain(gold_verdict(made_up_report(images=True)).words).endswith("bits (two retrained models: 0.040).")


def test_like_gold_without_gold_gives_the_reason() -> None:
    assert gold_verdict(made_up_report(gold=False)) == ("not retrained yet", "unknown", NO_GOLD)


def test_always_three_and_always_with_words() -> None:
    for report in (REPORT, PICTURES, made_up_report(gold=False), replace(REPORT, parts={}, evaluations={})):
        given = verdicts(report)
        assert len(given) == 3
        assert all(verdict.words.endswith(".") and len(verdict.title.split()) <= 4 for verdict in given)
        assert "left no trace" in caveats(report)


def test_points_are_called_points() -> None:
    points = replace(PICTURES, dataset=PICTURES.dataset.model_copy(update={"size": 1}))
    assert "the 100 forget points are still" in forget_verdict(points).words
    assert retain_verdict(points).words.startswith("Test points: ")
    assert "the points left no trace" in caveats(points)


def test_doubt_fits_the_run() -> None:
    assert "Blocking one output" in caveats(cats(150, 0, 0))
    assert "Blocking one output" not in caveats(cats(150, 150, 0))
    assert "there is no reference" in caveats(made_up_report(gold=False))
    few = replace(PICTURES, split=PICTURES.split._replace(forget_train=PICTURES.split.forget_train[:16]))
    assert "With 16 forget images, one more or less is 6.2" in caveats(few)
