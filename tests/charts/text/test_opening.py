"""The first screen in words: the answer follows the verdicts, the line on privacy the attacks, and both have limits."""

from dataclasses import replace

import pytest

from tests.charts.fake_curves import representation
from tests.charts.fake_reports import made_up_report
from tests.charts.text.test_verdict import cats, plain, relearned
from unlearn_core.charts.text import opening
from unlearn_core.charts.text.card import Verdict
from unlearn_core.charts.text.verdict import verdicts
from unlearn_core.domain.results.privacy import MembershipResult

REPORT = made_up_report()
FORGOT = Verdict("", "good", "", "the model forgot cat as retraining would")
LEFT = Verdict("", "middling", "", "something of cat is left in the model")
RETAINED = Verdict("", "good", "", "it retained the other classes")
LOST = Verdict("", "bad", "", "it lost accuracy on the other classes")
UNCLEAR = Verdict("", "unknown", "", "whether it retained the other classes cannot be told")


@pytest.mark.parametrize(
    ("forget", "retain", "words"),
    [
        (FORGOT, RETAINED, "The model forgot cat as retraining would, and it retained the other classes."),
        (FORGOT, LOST, "The model forgot cat as retraining would, but it lost accuracy on the other classes."),
        (LEFT, RETAINED, "Something of cat is left in the model, but it retained the other classes."),
        (LEFT, LOST, "Something of cat is left in the model, and it lost accuracy on the other classes."),
        (
            FORGOT,
            UNCLEAR,
            "The model forgot cat as retraining would, and whether it retained the other classes cannot be told.",
        ),
    ],
)
def test_the_answer_joins_what_two_cards_say(forget: Verdict, retain: Verdict, words: str) -> None:
    assert opening.answer((forget, retain)) == words


@pytest.mark.parametrize("report", [REPORT, made_up_report(gold=False), made_up_report(images=True), cats(150, 0, 0)])
def test_every_report_has_an_answer_with_the_clauses_of_its_cards(report) -> None:
    cards = verdicts(report)
    said = opening.answer(cards)
    assert said.endswith(".") and "{" not in said and said[0].isupper()
    assert all(card.clause.lower() in said.lower() and card.clause for card in cards[:2])


def test_without_outputs_the_answer_says_so_once() -> None:
    cards = verdicts(replace(REPORT, evaluations={}, parts={}))
    assert opening.answer(cards) == "The outputs that would answer this are missing."
    assert all(card.headline is None for card in cards)


def test_each_number_stands_beside_that_of_the_retrained_model() -> None:
    forget, retain, similar = (card.headline for card in verdicts(cats(150, 60, 0)))
    assert forget and retain and similar
    assert (forget.label, plain(forget.value)) == ("test images of cat predicted as cat", "30.0 %")
    assert plain(forget.compared) == "retrained model: 0.0 %, before: 75.0 %"
    assert forget.difference.startswith("+30.0 points (")
    assert retain.label == "other classes classified correctly"
    assert similar.label == "same prediction as the retrained model"


def test_without_a_retrained_model_the_original_is_the_reference() -> None:
    forget, retain, similar = (card.headline for card in verdicts(made_up_report(gold=False)))
    assert forget and retain and not similar
    assert forget.compared.startswith("before: ") and retain.compared.startswith("before: ")


def test_features_are_mentioned_once_they_were_probed() -> None:
    shares = {"before": 0.9, "after": 0.9, "gold": 0.7}
    probed = made_up_report().with_result(representation(list(shares.values()), made_up_report().split, list(shares)))
    assert plain(opening.features_line(probed)) == (
        "Features still hold cat: a linear probe on its features finds 90.0 % of 200 forget images, in the retrained "
        "model 70.0 %."
    )
    assert opening.features_line(made_up_report(gold=False)) == ""


def test_privacy_says_what_attacks_find_and_which_find_nothing() -> None:
    forgotten = cats(150, 0, 0)
    assert opening.privacy_line(relearned(forgotten, 8, 16)) == (
        "Relearning finds something left (8 steps, the retrained model 16 steps)."
    )
    assert opening.privacy_line(relearned(forgotten, 16, 16)) == (
        "Relearning found no difference to the retrained model."
    )
    assert opening.privacy_line(forgotten) == forgotten.reason(MembershipResult)


def test_limits_use_the_word_for_the_data() -> None:
    assert "the images left no trace" in opening.limits(REPORT) and "no legal guarantee" in opening.limits(REPORT)
    points = replace(REPORT, dataset=REPORT.dataset.model_copy(update={"size": 1}))
    assert "a single point" in opening.limits(points)
