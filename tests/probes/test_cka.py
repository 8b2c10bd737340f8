"""CKA by hand, by its definition, and for constant features."""

import copy
import json
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch

from tests.probes.small_context import IMAGES, net, scene
from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureSimilarity
from unlearn_core.probes.cka import (
    PAIRS,
    PER_SIDE,
    biased_hsic,
    cka_pair,
    feature_gap,
    gram_matrices,
    measure,
    sample_images,
    unbiased_hsic,
)
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.training.batches import to_floats


def measured(own: ProbeContext) -> CkaResult:
    result = measure(own)
    assert isinstance(result, CkaResult)
    facts = result.to_part().facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    return result


def features(count: int, width: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0, 1, (count, width)) @ np.diag(np.arange(1, width + 1))
    return drawn - drawn.mean(0)


def gram(values: np.ndarray) -> np.ndarray:
    return values @ values.T


def by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Kornblith et al., equation 5, from the features themselves."""
    norm = np.linalg.norm
    return float(norm(y.T @ x, "fro") ** 2 / (norm(x.T @ x, "fro") * norm(y.T @ y, "fro")))


def hsic_by_definition(one: np.ndarray, other: np.ndarray) -> float:
    """Song et al., theorem 2: the mean over all ordered quadruples of different images, by brute force."""
    total, count = 0.0, 0
    for i, j, k, m in permutations(range(len(one)), 4):
        total += one[i, j] * (other[i, j] + other[k, m] - 2 * other[i, k])
        count += 1
    return total / count


def test_plain_is_the_definition() -> None:
    x, y = features(40, 6, 1), features(40, 9, 2)
    assert cka_pair(gram(x), gram(y)).plain == pytest.approx(by_definition(x, y))


def test_unbiased_is_the_definition() -> None:
    one, other = gram(features(8, 5, 1)), gram(features(8, 3, 2))
    assert unbiased_hsic(one, other) == pytest.approx(hsic_by_definition(one, other))
    assert unbiased_hsic(one, one) == pytest.approx(hsic_by_definition(one, one))


def test_it_sees_through_rotation_scale_and_shift_and_a_copy_is_exactly_one() -> None:
    x = features(30, 5, 1)
    turned = 3 * x @ np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    alike = cka_pair(gram(x), gram(turned))
    assert (alike.unbiased, alike.plain) == pytest.approx((1.0, 1.0))
    assert cka_pair(gram(x), gram(x)) == FeatureSimilarity(unbiased=1.0, plain=1.0)


def test_few_images_inflate_the_plain_value_and_not_the_other() -> None:
    """Two unrelated models: many features, few images."""
    drawn = [cka_pair(gram(features(20, 300, seed)), gram(features(20, 300, seed + 100))) for seed in range(20)]
    assert min(each.plain or 0 for each in drawn) > 0.7
    assert abs(np.mean([each.unbiased or 0 for each in drawn])) < 0.03


def test_disjoint_features_have_nothing_in_common() -> None:
    angles = np.arange(16) * 2 * np.pi / 16
    x, y = np.cos(angles)[:, None], np.sin(angles)[:, None]
    assert biased_hsic(gram(x), gram(y)) == pytest.approx(0, abs=1e-12)
    assert cka_pair(gram(x), gram(y)).plain == pytest.approx(0, abs=1e-12)


def test_grams_are_those_of_the_layers_outputs() -> None:
    own, whole = net(5), scene("before")
    pictures = whole.images[:12]
    found = gram_matrices(own, pictures, ("stem", "head"))
    seen: dict[str, torch.Tensor] = {}
    watched = copy.deepcopy(own)

    def keep(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        seen["stem"] = output

    watched.get_submodule("stem").register_forward_hook(keep)
    with torch.no_grad():
        outputs = {"head": watched(to_floats(pictures))} | seen
    for layer, output in outputs.items():
        values = output.flatten(1).double().numpy()
        expected = gram(values - values.mean(0))
        assert found[layer] == pytest.approx(expected, rel=1e-3, abs=1e-4 * np.abs(expected).max())
    assert all(not module._forward_hooks for module in own.modules())


def test_equal_models_are_alike_in_every_layer_and_others_are_not() -> None:
    whole = scene("before", "after", "gold")
    nets = {**whole.models, "after": copy.deepcopy(whole.models["before"])}
    found = measured(whole._replace(models=nets))
    for row in found.layers:
        assert row.pairs["before-after"] == FeatureSimilarity(unbiased=1.0, plain=1.0)
        assert row.pairs["before-gold"] == row.pairs["after-gold"]
        value = row.pairs["before-gold"].unbiased
        assert value is not None and -1 <= value < 1
    assert found.reasons == {}


def test_pairs_are_there_as_far_as_their_models_are() -> None:
    pairs = [
        set(measured(scene(*models)).layers[0].pairs)
        for models in (("before", "after"), ("before", "after", "gold"), ("before", "after", "gold", "twin"))
    ]
    assert pairs == [{"before-after"}, set(PAIRS) - {"gold-twin"}, set(PAIRS)]


def test_a_layer_that_says_the_same_to_all_has_no_likeness() -> None:
    whole = scene("before", "after")
    dead = copy.deepcopy(whole.models["after"])
    with torch.no_grad():
        dead.get_parameter("head.weight").zero_()
        dead.get_parameter("head.bias").fill_(0.1)
    found = measured(whole._replace(models={**whole.models, "after": dead}))
    rows = {row.layer: row.pairs["before-after"] for row in found.layers}
    assert rows["head"] == FeatureSimilarity(unbiased=None, plain=None)
    assert found.reasons == {
        "head, before-after": "One of the two models has the same output for all images here, or outputs that are not "
        "finite."
    }
    assert rows["stem"].unbiased is not None


def test_features_that_are_no_numbers_make_no_number() -> None:
    whole = scene("before", "after")
    broken = copy.deepcopy(whole.models["after"])
    with torch.no_grad():
        broken.get_parameter("head.bias")[0] = torch.nan
    found = measured(whole._replace(models={**whole.models, "after": broken}))
    assert found.layers[-1].pairs["before-after"].unbiased is None


def test_the_sample_is_of_both_sides_and_few_images_are_refused() -> None:
    split = scene("before").split
    rows, forgotten = sample_images(split)
    assert forgotten == PER_SIDE and len(rows) == 2 * PER_SIDE
    assert set(rows[:forgotten]) <= set(split.forget_train) and set(rows[forgotten:]) <= set(split.retain_val)
    rows, forgotten = sample_images(scene("before", forget=IMAGES).split)
    assert forgotten == 3 and len(rows) > PER_SIDE
    whole = scene("before", "after")
    one = whole._replace(
        split=whole.split._replace(forget_train=split.forget_train[:1], retain_val=split.retain_val[:0])
    )
    assert "There are only 1 images" in str(measure(one))


def test_the_gap_has_the_error_of_its_images() -> None:
    """Over many draws of images, the jackknife's standard error is as large as the gap really varies."""
    wide = np.random.default_rng(3).normal(size=(3840, 6))
    noise = {model: np.random.default_rng(seed).normal(size=wide.shape) for seed, model in enumerate(("after", "twin"))}
    whole = {"gold": wide, "after": wide + 1.5 * noise["after"], "twin": wide + 0.5 * noise["twin"]}
    gaps = []
    for rows in np.random.default_rng(4).permutation(3840).reshape(-1, 64):
        grams = {model: gram(values[rows] - values[rows].mean(0)) for model, values in whole.items()}
        found = feature_gap("head", grams)
        assert found is not None
        gaps.append(found)
    differences = [found.difference for found in gaps]
    assert max(differences) < 0
    assert np.mean([found.error for found in gaps]) == pytest.approx(np.std(differences, ddof=1), rel=0.25)


def test_there_is_no_gap_without_a_second_gold_or_with_constant_features() -> None:
    grams = {model: gram(features(20, 4, seed)) for seed, model in enumerate(("before", "after", "gold"))}
    assert feature_gap("head", grams) is None
    assert feature_gap("head", {**grams, "twin": np.zeros((20, 20))}) is None
    same = feature_gap("head", {**grams, "after": grams["before"], "twin": grams["before"]})
    assert same is not None
    assert (same.difference, same.error) == (0, 0)
