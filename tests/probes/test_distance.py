"""The divergence by hand, and the distance computed from it."""

from math import isnan, log2

import numpy as np
import pytest

from tests.probes.small_context import IMAGES, scene
from unlearn_core.domain.results.outputs import DistanceResult, FurtherGolds
from unlearn_core.probes.common.statistics import js_bits, softmax
from unlearn_core.probes.distance import PROBE


def test_equal_is_nothing_and_disjoint_is_one_bit() -> None:
    one, other = np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([[0.2, 0.8], [0.0, 1.0]])
    assert js_bits(one, other) == pytest.approx([0.0, 1.0])


def test_by_hand() -> None:
    by_hand = 0.5 * (1.0 * log2(1 / 0.75)) + 0.5 * (0.5 * log2(0.5 / 0.75) + 0.5 * log2(0.5 / 0.25))
    assert js_bits(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])) == pytest.approx(by_hand)


def test_it_goes_both_ways_alike() -> None:
    rng = np.random.default_rng(0)
    one, other = softmax(rng.normal(0, 30, (50, 4))), softmax(rng.normal(0, 30, (50, 4)))
    assert js_bits(one, other) == pytest.approx(js_bits(other, one))
    assert np.all((js_bits(one, other) >= 0) & (js_bits(one, other) <= 1))


@pytest.mark.parametrize("models", [("before", "after", "gold"), ("before", "after", "gold", "twin")])
def test_the_number_is_the_mean_of_both_sides(models: tuple[str, ...]) -> None:
    own = scene(*models)
    part = PROBE.measure(own)
    assert isinstance(part, DistanceResult)
    sets, overall = part.sets, part.overall
    rows = own.split.retain_val
    after, gold = (softmax(own.evaluations[model].logits[rows]) for model in ("after", "gold"))
    assert sets["retain_val"].after == pytest.approx(js_bits(after, gold).mean())
    for kind in ("val", "test"):
        by_hand = (sets["forget_train"].after + sets[f"retain_{kind}"].after) / 2
        assert overall[kind].after == pytest.approx(by_hand)
        assert isnan(overall[kind].between_golds) == ("twin" not in models)


def test_single_images_have_no_counterpart_in_the_test_set() -> None:
    part = PROBE.measure(scene("before", "after", "gold", forget=IMAGES))
    assert isinstance(part, DistanceResult)
    assert set(part.sets) == {"forget_train", "retain_val", "retain_test"}


def test_without_gold_it_says_so() -> None:
    assert PROBE.measure(scene("before", "after")) == "There is no retrained model to measure the distance to."


def test_outputs_of_a_second_gold_do_without_its_weights() -> None:
    whole = scene("before", "after", "gold", "twin")
    covered = np.sort(np.concatenate([whole.split.forget_train, whole.split.retain_val, whole.split.retain_test]))
    outputs = whole.evaluations["twin"].logits[covered]
    further = FurtherGolds(numbers=[1, 2], rows=covered, logits=np.stack([outputs, outputs * 0]))
    without = {model: own for model, own in whole.evaluations.items() if model != "twin"}
    part = PROBE.measure(whole._replace(evaluations=without, further_golds=further))
    expected = PROBE.measure(whole)
    assert isinstance(part, DistanceResult)
    assert isinstance(expected, DistanceResult)
    assert part.overall == expected.overall
    assert not isnan(part.sets["retain_test"].between_golds)
    less = PROBE.measure(
        whole._replace(evaluations=without, further_golds=further.model_copy(update={"rows": covered[:-1]}))
    )
    assert isinstance(less, DistanceResult)
    assert isnan(less.sets["retain_test"].between_golds), "the outputs for one image are not known"
