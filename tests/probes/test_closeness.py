"""The measures of agreement by hand, against scipy, and where they are undefined."""

import json
from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.probes.small_context import IMAGES, scene
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.logit_statistics import logit_statistics
from unlearn_core.domain.results.outputs import Agreement, ClosenessResult, GoldComparison
from unlearn_core.probes.closeness import PAIRS, activation_distance, kolmogorov_smirnov, measure, wasserstein
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import softmax

FOUR = ("before", "after", "gold", "twin")


def measured(own: ProbeContext) -> ClosenessResult:
    result = measure(own)
    assert isinstance(result, ClosenessResult)
    facts = result.to_part().facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    return result


def agreement(comparison: GoldComparison, pair: str) -> Agreement:
    found = comparison.agreement[pair]
    assert found is not None
    return found


def distance(comparison: GoldComparison, metric: str, pair: str) -> float:
    found = comparison.values[metric][pair]
    assert found is not None
    return found


def with_logits(own: ProbeContext, **logits: np.ndarray) -> ProbeContext:
    return own._replace(evaluations={model: Evaluation(model, "shapes", given) for model, given in logits.items()})


def with_rows(own: ProbeContext, **rows: list[int]) -> ProbeContext:
    return own._replace(split=own.split._replace(**{name: np.array(given, int) for name, given in rows.items()}))


def ks(one: np.ndarray, other: np.ndarray) -> float:
    found: Any = stats.ks_2samp(one, other)
    return found.statistic


def random(count: int, seed: int, scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, (count, 4)).astype(np.float32)


@pytest.mark.parametrize("sizes", [(50, 50), (30, 70), (1, 9), (1, 1)])
@pytest.mark.parametrize("rounded", [False, True])
def test_distributions_are_scipys(sizes: tuple[int, int], rounded: bool) -> None:
    rng = np.random.default_rng(sum(sizes))
    one, other = rng.normal(0, 1, sizes[0]), rng.normal(0.5, 2, sizes[1])
    if rounded:  # Ties.
        one, other = one.round(), other.round()
    assert wasserstein(one, other) == pytest.approx(stats.wasserstein_distance(one, other), abs=1e-12)
    assert kolmogorov_smirnov(one, other) == pytest.approx(ks(one, other), abs=1e-12)


def test_by_hand() -> None:
    one, other = np.array([0.0, 1.0, 3.0]), np.array([8.0, 5.0, 6.0])
    assert wasserstein(one, other) == pytest.approx((5 + 5 + 5) / 3)
    assert kolmogorov_smirnov(one, other) == 1
    assert kolmogorov_smirnov(np.array([0.0, 1.0]), np.array([1.0, 2.0])) == 0.5
    certain, torn = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert activation_distance(certain, torn) == pytest.approx(sqrt(0.5))
    assert activation_distance(certain, certain[:, ::-1]) == pytest.approx(sqrt(2))


def test_identical_models_are_at_exactly_nothing() -> None:
    whole = scene("gold")
    logits = whole.evaluations["gold"].logits
    found = measured(with_logits(whole, **dict.fromkeys(FOUR, logits)))
    for name, own in found.sets.items():
        assert {value for pairs in own.values.values() for value in pairs.values()} == {0.0}, name
        assert all(pair and pair.share == pair.high == 1 and pair.low < 1 for pair in own.agreement.values())
    assert found.reasons == {}


def test_models_with_nothing_in_common() -> None:
    whole = scene("gold")
    surely = np.zeros((len(whole.labels), 4), np.float32)
    surely[:, 0] = 900
    found = measured(with_logits(whole, before=surely, after=np.roll(surely, 1, 1), gold=surely))
    own = found.sets["retain_test"]
    assert own.values["activation"] == {"before-gold": 0.0, "after-gold": pytest.approx(sqrt(2)), "gold-twin": None}
    assert own.values["disagreement"]["after-gold"] == 1
    assert agreement(own, "after-gold").share == agreement(own, "after-gold").low == 0
    # As many right with the same certainty, but on other pictures: distributions alone would call that the same.
    assert own.values["ks margin"]["after-gold"] == own.values["wasserstein margin"]["after-gold"] == 0


def test_every_number_again_in_another_way() -> None:
    whole = scene(*FOUR)
    found = measured(whole)
    for name, own in found.sets.items():
        rows = getattr(whole.split, name)
        assert own.images == len(rows)
        for pair, (one, other) in PAIRS.items():
            left, right = (whole.evaluations[model].logits[rows] for model in (one, other))
            by_hand = np.mean(
                [np.sqrt(((a - b) ** 2).sum()) for a, b in zip(softmax(left), softmax(right), strict=True)]
            )
            assert own.values["activation"][pair] == pytest.approx(by_hand)
            same = np.mean(left.argmax(1) == right.argmax(1))
            assert agreement(own, pair).share == pytest.approx(same)
            assert own.values["disagreement"][pair] == pytest.approx(1 - same)
            labels = whole.labels[rows]
            for what in ("true", "margin", "entropy"):
                a, b = logit_statistics(left, labels)[what], logit_statistics(right, labels)[what]
                assert own.values[f"wasserstein {what}"][pair] == pytest.approx(stats.wasserstein_distance(a, b))
                assert own.values[f"ks {what}"][pair] == pytest.approx(ks(a, b))


def test_without_gold_or_a_twin_it_says_so() -> None:
    assert measure(scene("before", "after")) == "There is no retrained model to compare with."
    found = measured(scene("before", "after", "gold"))
    assert "the variation between retrained models is unknown" in found.reasons["gold-twin"]
    for own in found.sets.values():
        assert {pairs["gold-twin"] for pairs in own.values.values()} == {None}
        assert own.agreement["gold-twin"] is None


def test_an_empty_set_is_left_out_with_a_reason() -> None:
    found = measured(scene(*FOUR, forget=IMAGES))
    assert set(found.sets) == {"forget_train", "retain_val", "retain_test"}
    assert found.reasons == {"forget_test": "This set has no images for this request."}


def test_a_single_image_has_predictions_but_no_distribution() -> None:
    found = measured(with_rows(scene(*FOUR), forget_train=[3]))
    own = found.sets["forget_train"]
    assert distance(own, "activation", "after-gold") > 0
    assert agreement(own, "after-gold").share in (0, 1)
    assert own.values["ks margin"] == own.values["wasserstein true"] == dict.fromkeys(PAIRS)
    assert found.reasons["forget_train, margin"] == "A single image has no distribution."


def test_one_class_has_no_margin() -> None:
    whole = scene("gold")
    alone = random(len(whole.labels), 1)[:, :1]
    found = measured(with_logits(whole, **dict.fromkeys(FOUR, alone))._replace(labels=np.zeros(len(alone), int)))
    own = found.sets["retain_val"].values
    assert own["activation"]["after-gold"] == own["wasserstein entropy"]["after-gold"] == 0
    assert own["ks margin"] == dict.fromkeys(PAIRS)
    assert "single class" in found.reasons["retain_val, margin"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_give_no_value(bad: float) -> None:
    whole = scene("gold")
    logits = {model: random(len(whole.labels), seed) for seed, model in enumerate(FOUR)}
    logits["after"][whole.split.retain_test[5], 2] = bad
    found = measured(with_logits(whole, **logits))
    hurt, sound = found.sets["retain_test"], found.sets["forget_train"]
    assert {pairs["after-gold"] for pairs in hurt.values.values()} == {None}
    assert hurt.agreement["after-gold"] is None
    assert found.reasons == {"retain_test, after": "Some outputs of the unlearned model are not finite."}
    assert all(distance(hurt, metric, "before-gold") > 0 for metric in hurt.values)
    assert all(distance(sound, metric, "after-gold") > 0 for metric in sound.values)
