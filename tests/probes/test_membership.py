"""Membership inference against closed forms, scikit-learn, and cases without any signal."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from tests.probes.small_context import CLASS, IMAGES, answering, scene
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.probes.common.logistic_attack import cross_validated_scores
from unlearn_core.probes.membership import (
    BOOTSTRAP_SAMPLES,
    PROBE,
    _bootstrap_aucs,
    attack_metrics,
    auc,
    matched_members,
    signals,
)

RNG = np.random.default_rng(0)


def test_auc_is_scikit_learns_with_and_without_ties() -> None:
    for members, strangers in (
        (RNG.normal(0.4, 1, 200), RNG.normal(0, 1, 150)),
        (RNG.integers(0, 4, 80).astype(float), RNG.integers(0, 4, 90).astype(float)),
    ):
        truth = np.repeat([1, 0], [len(members), len(strangers)])
        assert auc(members, strangers) == pytest.approx(roc_auc_score(truth, np.concatenate([members, strangers])))


def test_auc_of_equal_apart_and_reversed() -> None:
    same = np.full(10, 0.3)
    assert auc(same, same) == 0.5
    assert auc(np.ones(5), np.zeros(7)) == 1.0
    assert auc(np.zeros(5), np.ones(7)) == 0.0


def test_members_found_counts_those_above_all_but_one_in_a_hundred() -> None:
    strangers = np.arange(100.0)
    members = np.concatenate([np.full(30, 200.0), np.full(70, 50.0)])
    found = attack_metrics(members, strangers, np.random.default_rng(1))
    assert found.true_positive_rate == pytest.approx(0.3)
    assert found.low <= found.auc <= found.high


def test_signals_by_hand() -> None:
    logits, labels = np.log(np.array([[0.7, 0.2, 0.1]])), np.array([0])
    own = {name: float(value[0]) for name, value in signals(logits, labels).items()}
    assert own["loss"] == pytest.approx(np.log(0.7))
    assert own["confidence"] == pytest.approx(0.7)
    assert own["entropy"] == pytest.approx(0.7 * np.log(0.7) + 0.2 * np.log(0.2) + 0.1 * np.log(0.1))
    by_hand = -0.3 * np.log(0.7) - 0.2 * np.log(0.8) - 0.1 * np.log(0.9)
    assert own["modified entropy"] == pytest.approx(-by_hand)
    assert own["margin"] == pytest.approx(np.log(0.7 / 0.2))


def test_signals_of_certainty_are_numbers() -> None:
    own = signals(np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([0, 0]))
    assert all(np.isfinite(values).all() for values in own.values())


def test_the_logistic_attack_scores_no_image_that_it_was_fitted_on() -> None:
    """A hundred random features can be memorised; held-out scores stay near chance."""
    ours, theirs = RNG.normal(0, 1, (60, 100)), RNG.normal(0, 1, (60, 100))
    guesses = cross_validated_scores(ours, theirs, np.random.default_rng(0))
    assert 0.35 < auc(*guesses) < 0.65


@pytest.mark.parametrize("forget", [CLASS, ForgetImages(images=tuple(range(0, 300, 7)))])
def test_sides_are_equal_class_by_class_and_disjoint(forget: object) -> None:
    own = scene("before", "after", forget=forget)  # pyright: ignore[reportArgumentType]
    members, strangers = matched_members(own, np.random.default_rng(3))
    assert len(members) == len(strangers) > 0
    assert not set(members) & set(strangers)
    assert set(members) <= set(own.split.forget_train)
    assert max(strangers) >= own.dataset.train and min(strangers) >= own.dataset.train
    assert np.array_equal(np.bincount(own.labels[members]), np.bincount(own.labels[strangers]))


def test_identical_models_have_the_same_privacy_as_gold() -> None:
    own = scene("before", "after", "gold")
    same = Evaluation("same", "shapes", own.evaluations["gold"].logits)
    part = PROBE.measure(own._replace(evaluations={"before": same, "after": same, "gold": same}))
    assert isinstance(part, MembershipResult)
    assert part.privacy == part.privacy_val == {"before": 1.0, "after": 1.0}


@pytest.mark.parametrize("forget", [CLASS, ForgetImages(images=tuple(range(0, 300, 7)))])
def test_the_figure_for_tuning_does_not_depend_on_test_images(forget: object) -> None:
    own = scene("before", "after", "gold", forget=forget)  # pyright: ignore[reportArgumentType]
    first = own.dataset.train + own.dataset.val
    assert matched_members(own, np.random.default_rng(0), held_out=("val",))[1].max() < first
    other = {}
    for model, one in own.evaluations.items():
        logits = one.logits.copy()
        logits[first:] = RNG.normal(0, 5, logits[first:].shape)
        other[model] = one._replace(logits=logits)
    part, changed = PROBE.measure(own), PROBE.measure(own._replace(evaluations=other))
    assert isinstance(part, MembershipResult) and isinstance(changed, MembershipResult)
    assert part.privacy_val == changed.privacy_val
    assert part.privacy != changed.privacy
    assert part.privacy_val.keys() == {"before", "after"}


def test_a_model_that_memorised_its_members_leaks() -> None:
    own = scene("before", "after", "gold")
    members, _ = matched_members(own, np.random.default_rng(own.spec.seed))
    logits = own.evaluations["gold"].logits.copy() * 0
    logits[own.split.forget_train, own.labels[own.split.forget_train]] = 9
    told = {**own.evaluations, "after": Evaluation("told", "shapes", logits)}
    part = PROBE.measure(own._replace(evaluations=told))
    assert isinstance(part, MembershipResult)
    assert part.attacks["after"]["loss"].auc == 1.0
    assert part.attacks["after"]["loss"].true_positive_rate == 1.0
    assert part.leak["after"] == 0.5
    assert part.privacy["after"] < 0.5
    assert part.num_members == len(members)


def test_too_few_images_give_a_reason() -> None:
    said = PROBE.measure(scene("before", "after", "gold", forget=IMAGES))
    assert isinstance(said, str) and "at least 5 are needed" in said


def test_an_empty_set_gives_a_reason() -> None:
    answers = {"before": [0, 1, 2, 3], "after": [0, 1, 2, 3]}
    empty = answering(scene("before"), answers, [0, 1, 2, 3], forget_train=[0, 1], retain_train=[2], retain_test=[3])
    assert isinstance(PROBE.measure(empty), str)


@pytest.mark.parametrize("count", [40, 100, 150, 300])
def test_members_found_are_the_most_that_one_false_alarm_in_a_hundred_allows(count: int) -> None:
    members, strangers = RNG.normal(1, 1, 200).round(1), RNG.normal(0, 1, count).round(1)
    truth = np.repeat([1, 0], [200, count])
    false, true, _ = roc_curve(truth, np.concatenate([members, strangers]), drop_intermediate=False)
    found = attack_metrics(members, strangers, np.random.default_rng(1)).true_positive_rate
    assert found == pytest.approx(true[false <= 0.01 + 1e-12].max())


def test_the_interval_covers_as_often_as_it_should() -> None:
    """Two normals one standard deviation apart have an AUC of 0.760; a 95 % interval contains it nearly always."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(40):
        one = attack_metrics(rng.normal(1, 1, 80), rng.normal(0, 1, 80), rng)
        held += one.low <= 0.7602 <= one.high
    assert 34 <= held <= 40


def test_whom_the_attack_calls_members_is_counted_on_both_sides() -> None:
    own = scene("before", "after", "gold")
    part = PROBE.measure(own)
    assert isinstance(part, MembershipResult)
    for model, predicted in part.predicted_members.items():
        assert predicted.members == (part.probabilities[model] > 0.5).sum()
        assert 0 <= predicted.non_members <= part.num_members
    assert len(part.probabilities["after"]) == len(part.member_rows) == part.num_members


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_give_a_reason(value: float) -> None:
    own = scene("before", "after")
    logits = own.evaluations["after"].logits.copy()
    logits[0, 0] = value
    said = PROBE.measure(own._replace(evaluations={**own.evaluations, "after": Evaluation("x", "shapes", logits)}))
    assert said == "Some outputs of the unlearned model are not finite, so no attack can be evaluated."


@pytest.mark.parametrize("rows", [[], [0]])
def test_nothing_and_one_image_give_a_reason(rows: list[int]) -> None:
    answers = {"before": [0] * 8, "after": [1] * 8}
    few = answering(scene("before"), answers, [0] * 8, forget_train=rows, forget_test=[3, 4], retain_test=[5, 6, 7])
    said = PROBE.measure(few)
    assert isinstance(said, str) and f"There are only {len(rows)} forgotten images" in said


def test_a_single_class_gives_no_signal() -> None:
    answers = {"before": [0] * 30, "after": [1] * 30}
    same = answering(scene("before"), answers, [0] * 30, forget_train=list(range(15)), forget_test=list(range(15, 30)))
    part = PROBE.measure(same)
    assert isinstance(part, MembershipResult)
    assert {one.auc for name, one in part.attacks["after"].items() if name != "logistic"} == {0.5}
    assert part.leak["after"] <= 0.5 and not part.privacy and not part.privacy_val


@pytest.mark.parametrize(("ours", "theirs"), [(30, 30), (5, 40), (41, 6)])
def test_a_bootstrap_sample_by_ranks_is_one_by_values(ours: int, theirs: int) -> None:
    rng = np.random.default_rng(ours)
    members, non_members = rng.normal(size=ours).round(1), rng.normal(size=theirs).round(1)  # with ties
    drawn, same = np.random.default_rng(1), np.random.default_rng(1)
    expected = [auc(drawn.choice(members, ours), drawn.choice(non_members, theirs)) for _ in range(BOOTSTRAP_SAMPLES)]
    assert _bootstrap_aucs(members, non_members, same) == expected
