"""The three verdicts: titles follow the rule, and the words give its numbers and what they cannot tell."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import CAT, NO_GOLD, attack_metrics, made_up_report
from tests.charts.predictions import apart, first, with_correct, with_images
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.charts.text.gold_card import gold_card
from unlearn_core.charts.text.retain_card import retain_card
from unlearn_core.charts.text.verdict import caveats, verdicts
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.course import SeedsResult
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.results.privacy import MembershipResult, RelearnResult, RelearnTimes

REPORT = made_up_report()
PICTURES = made_up_report(images=True)


def cats(before: int, after: int, gold: int, trained: int = 0) -> Report:
    """Of 200 test and 300 training images of cat, so many are classified correctly."""
    sets = {
        model: {"forget_test": first(test, 200), "forget_train": first(train, 300)}
        for model, test, train in (("before", before, 290), ("after", after, trained), ("gold", gold, 0))
    }
    return only_accuracy(with_correct(REPORT, **sets))


def only_accuracy(report: Report) -> Report:
    """The report without any other evidence."""
    return replace(report, parts={})


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("after", "trained", "title", "tone"),
    [
        (0, 0, "forgotten as by retraining", "good"),
        (0, 30, "partly forgotten", "middling"),
        (38, 0, "partly forgotten", "middling"),
        (150, 0, "not forgotten", "bad"),
        (0, 290, "not forgotten", "bad"),
    ],
)
def test_the_least_forgotten_set_decides(after: int, trained: int, title: str, tone: str) -> None:
    assert forget_card(cats(150, after, 0, trained))[:2] == (title, tone)


def test_forget_words() -> None:
    assert plain(forget_card(cats(150, 0, 0)).words) == (
        "0.0 % of 300 training images of cat are still predicted as cat (before: 96.7 %; retrained model: 0.0 %)."
    )
    assert plain(forget_card(cats(150, 60, 0)).words).startswith("30.0 % of 200 test images of cat are still predicted")


def test_a_few_images_are_counted_and_cannot_tell() -> None:
    few = with_images(REPORT, forget_train=7, forget_test=2)
    sets = {
        model: {"forget_test": first(test, 2), "forget_train": first(train, 7)}
        for model, test, train in (("before", 2, 7), ("after", 0, 1), ("gold", 0, 0))
    }
    card = forget_card(only_accuracy(with_correct(few, **sets)))
    assert card[:2] == ("cannot tell", "unknown")
    assert card.words.startswith(
        "1 of 7 training images of cat are still predicted as cat (before: 7; retrained model: 0). About "
    )
    assert card.words.endswith(" images would tell; these are 7.")


def test_classes_have_a_reference_even_without_a_retrained_model() -> None:
    bare = only_accuracy(made_up_report(gold=False))
    done = with_correct(bare, after={"forget_test": first(0, 200), "forget_train": first(0, 300)})
    undone = with_correct(bare, after={"forget_test": first(140, 200), "forget_train": first(280, 300)})
    assert forget_card(done).title == "forgotten as by retraining"
    assert forget_card(undone).title == "not forgotten"
    assert "There is no retrained model yet" in forget_card(done).words


@pytest.mark.parametrize(
    ("before", "after", "gold", "title", "tone"),
    [
        (99, 99, 60, "not forgotten", "bad"),
        (99, 85, 60, "partly forgotten", "middling"),
        (99, 40, 60, "more than retraining would", "middling"),
        (99, 60, 60, "cannot tell", "unknown"),  # Equal, but a hundred images cannot show it.
        (61, 61, 60, "cannot tell", "unknown"),
        (99, 64, 60, "cannot tell", "unknown"),
    ],
)
def test_single_images(before: int, after: int, gold: int, title: str, tone: str) -> None:
    sets = {
        model: {"forget_train": first(correct, 100)}
        for model, correct in (("before", before), ("after", after), ("gold", gold), ("twin", gold))
    }
    assert forget_card(only_accuracy(with_correct(PICTURES, **sets)))[:2] == (title, tone)


def test_enough_images_show_that_they_are_forgotten_as_by_retraining() -> None:
    many = replace(PICTURES, split=PICTURES.split._replace(forget_train=np.arange(400)))
    models = (("before", 396), ("after", 240), ("gold", 240), ("twin", 242))
    sets = {model: {"forget_train": first(correct, 400)} for model, correct in models}
    assert forget_card(only_accuracy(with_correct(many, **sets)))[:2] == ("forgotten as by retraining", "good")


def test_an_original_like_the_retrained_model_leaves_nothing_to_decide() -> None:
    sets = {model: {"forget_train": first(60, 100)} for model in ("before", "after", "gold", "twin")}
    card = forget_card(only_accuracy(with_correct(PICTURES, **sets)))
    assert "Accuracy cannot decide here: the original is like the retrained model." in card.words


def test_single_images_without_gold_get_no_verdict() -> None:
    assert forget_card(made_up_report(images=True, gold=False))[:2] == ("no reference yet", "unknown")


def relearned(report: Report, after: int, gold: int) -> Report:
    times = {model: RelearnTimes(time=time, by_draw=[time] * 3) for model, time in (("after", after), ("gold", gold))}
    result = REPORT[RelearnResult]
    return report.with_result(result.model_copy(update={"models": {**result.models, **times}}))


def attacked(report: Report, auc: float) -> Report:
    aucs = {"before": 0.6, "after": auc, "gold": 0.5}
    attacks = {model: {"loss": attack_metrics(value, 0.05)} for model, value in aucs.items()}
    return report.with_result(REPORT[MembershipResult].model_copy(update={"attacks": attacks}))


def test_other_evidence_changes_the_verdict_and_both_are_named_in_one_sentence() -> None:
    forgotten = cats(150, 0, 0)
    left = forget_card(relearned(forgotten, 8, 16))
    assert left[:2] == ("something is left", "middling")
    assert left.words.endswith(
        "By accuracy it is forgotten, but relearning finds something left (8 steps, the retrained model 16 steps)."
    )
    assert forget_card(relearned(forgotten, 16, 16)).title == "forgotten as by retraining"
    beyond = forget_card(attacked(forgotten, 0.3))
    assert beyond[:2] == ("more than retraining would", "middling")
    assert "less familiar than held-out images, which itself reveals them" in beyond.words
    both = forget_card(relearned(attacked(forgotten, 0.3), 8, 16))
    assert both.title == "something is left" and "less familiar" in both.words and "8 steps" in both.words


def test_what_is_not_forgotten_stays_so_and_opposite_evidence_is_named() -> None:
    card = forget_card(attacked(cats(150, 150, 0), 0.3))
    assert card[:2] == ("not forgotten", "bad")
    assert "By accuracy it is not forgotten, but membership inference finds" in card.words
    assert "but" not in forget_card(attacked(cats(150, 150, 0), 0.7)).words, "they agree"


def retaining(before: int, after: int, gold: int | None, lost: int = 0, of: int = 1800) -> Report:
    """Of so many test images of the other classes; after loses `lost` of those that are correct in both others."""
    report = only_accuracy(with_images(made_up_report(gold=gold is not None), retain_test=of))
    sets = {"before": {"retain_test": first(before, of)}, "after": {"retain_test": apart(after, of, lost)}}
    return with_correct(report, **sets, **({} if gold is None else {"gold": {"retain_test": first(gold, of)}}))


@pytest.mark.parametrize(
    ("report", "title", "tone", "words"),
    [
        (
            retaining(1561, 1552, 1579, 60),
            "retained",
            "good",
            "Other classes: 86.7 → 86.2 %. Retrained model: 87.7 %, difference −1.5 points (−2.4 to −0.6). "
            "Difference to before: −0.5 points (−1.5 to +0.5).",
        ),
        (retaining(1561, 1530, 1579, 60), "reduced", "middling", "−2.7 points (−3.6 to −2.0)"),
        (retaining(1561, 900, 1579), "lost", "bad", "Retrained model: 87.7 %, difference −37.7 points"),
        (retaining(1561, 1680, 1579), "higher", "good", "+5.6 points"),
        (retaining(52, 50, 58, 16, of=78), "cannot tell", "unknown", "images would tell; these are 78."),
        (retaining(2, 1, 2, 0, of=2), "cannot tell", "unknown", "Other classes: 2 → 1 of 2. Retrained model: 2 of 2"),
        (retaining(1561, 900, None), "lost, against before", "bad", "no retrained model yet"),
    ],
)
def test_retained(report: Report, title: str, tone: str, words: str) -> None:
    card = retain_card(report)
    assert card[:2] == (title, tone)
    assert words in plain(card.words)


def test_repeats_from_other_seeds_widen_the_interval() -> None:
    report = retaining(1561, 1552, 1579, 20)
    seeds = REPORT[SeedsResult]
    spread = [
        run.model_copy(update={"accuracy": {"after": {"retain_test": value}}})
        for run, value in zip(seeds.runs, (0.86, 0.80, 0.92), strict=False)
    ]
    repeated = report.with_result(seeds.model_copy(update={"runs": spread}))
    assert retain_card(report).title == "retained"
    assert retain_card(repeated).title == "cannot tell"


def answering(**answers: np.ndarray) -> Report:
    """The report with these answers (classes) to the 200 unseen cats; each next guess is the class after it."""
    rows, found = REPORT.split.forget_test, dict(REPORT.evaluations)
    for model, given in answers.items():
        logits = found[model].logits.copy()
        logits[rows] = np.eye(10, dtype=np.float32)[given] * 9 + np.eye(10, dtype=np.float32)[(given + 1) % 10]
        found[model] = Evaluation(model, "made-up", logits)
    return replace(REPORT, evaluations=found, split=REPORT.split._replace(forget_train=np.empty(0, int)))


GOLD = np.repeat([5, 6, 2, 4], 50)


def test_like_gold_is_held_against_hiding_the_output() -> None:
    guess = np.where(np.arange(200) < 100, GOLD, 0)
    hidden = np.full(200, CAT)  # Before says cat to all; with cat taken away it says deer, as gold does to 50 of 200.
    assert gold_card(answering(before=hidden, gold=GOLD, after=GOLD)).title == "like retrained"
    verdict = gold_card(answering(before=hidden, gold=GOLD, after=guess))
    assert verdict.title == "like retrained"
    words = plain(verdict.words)
    assert words.startswith(
        "It agrees with the retrained model on 50.0 % of 200 forget images. Blocking that output would reach 25.0 %, "
        "difference +25.0 points (+14.9 to +34.6). Distance to the retrained model: "
    )
    assert words.endswith("bits (spread unknown: only one).")
    assert gold_card(answering(before=GOLD, gold=GOLD, after=guess)).title == "unlike retrained"
    nearly = np.where(np.arange(200) % 25 == 0, 0, GOLD)
    assert gold_card(answering(before=GOLD, gold=GOLD, after=nearly)).title == "less like retrained"
    few = np.where(np.arange(200) % 100 == 0, 0, GOLD)
    verdict = gold_card(answering(before=GOLD, gold=GOLD, after=few))
    assert verdict.title == "cannot tell"
    assert "images would tell; these are 200." in verdict.words


def with_golds(report: Report, *answers: np.ndarray, numbers: tuple[int, ...] = (1, 2)) -> Report:
    """The report with more golds, which give these answers to the 200 test images of cat."""
    rows = np.concatenate([report.split.forget_test, report.split.retain_test])
    logits = np.stack([np.eye(10)[np.concatenate([given, report.labels[rows[200:]]])] for given in answers])
    order = np.argsort(rows)
    further = FurtherGolds(numbers=numbers[: len(answers)], rows=rows[order], logits=logits[:, order])
    return report.with_result(further)


def test_other_golds_are_the_reference_where_there_are_some() -> None:
    """Two golds disagree on half of the images, so agreement on half is like them, though hiding reaches all."""
    half = np.where(np.arange(200) % 2 == 0, 0, GOLD)
    report = with_golds(answering(before=GOLD, gold=GOLD, after=half), half, half)
    verdict = gold_card(report)
    assert verdict.title == "like retrained"
    assert plain(verdict.words).startswith(
        "It agrees with the retrained model on 50.0 % of 200 forget images. Others do on 50.0 %, difference 0.0 points"
    )
    assert gold_card(answering(before=GOLD, gold=GOLD, after=half)).title == "unlike retrained"


def test_cards_name_how_many_retrained_models_decide() -> None:
    report = with_golds(answering(before=GOLD, gold=GOLD, after=GOLD), GOLD, GOLD)
    assert "; mean of 3 retrained models: " in forget_card(report).words
    assert " Mean of 3 retrained models: " in retain_card(report).words
    assert "; retrained model: " in forget_card(answering(before=GOLD, gold=GOLD, after=GOLD)).words


def test_two_golds_give_the_distance_its_yardstick() -> None:
    assert plain(gold_card(made_up_report(images=True)).words).endswith("bits (two retrained models: 0.040).")


def test_like_gold_without_gold_gives_the_reason() -> None:
    assert gold_card(made_up_report(gold=False))[:3] == ("not retrained yet", "unknown", NO_GOLD)


def test_always_three_and_always_with_words() -> None:
    for report in (REPORT, PICTURES, made_up_report(gold=False), replace(REPORT, parts={}, evaluations={})):
        given = verdicts(report)
        assert len(given) == 3
        assert all(verdict.words.endswith(".") and len(verdict.title.split()) <= 4 for verdict in given)
        assert "left no trace" in caveats(report)


def test_points_are_called_points() -> None:
    points = replace(PICTURES, dataset=PICTURES.dataset.model_copy(update={"size": 1}))
    assert "of 100 forget points are still" in forget_card(points).words
    assert retain_card(points).words.startswith("Test points: ")
    assert "the points left no trace" in caveats(points)


def test_caveats_fit_the_run() -> None:
    assert "Blocking one output" in caveats(cats(150, 0, 0))
    assert "Blocking one output" not in caveats(cats(150, 150, 0))
    assert "there is no reference" in caveats(made_up_report(gold=False))
    assert "Differences within 3 points count as none" in caveats(REPORT)
