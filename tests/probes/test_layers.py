"""Distances between models whose differences are known."""

import copy
from collections.abc import Sequence

import pytest
import torch

from unlearn_core.domain.results.layer_comparison import TensorGroup, WeightDistance, WeightDistanceResult
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.layers import measure


def measured(scene: ProbeContext) -> WeightDistanceResult:
    result = measure(scene)
    assert isinstance(result, WeightDistanceResult)
    return result


def with_layers(scene: ProbeContext, *layers: str) -> ProbeContext:
    roles = scene.classifier.roles.model_copy(update={"layers": layers})
    return scene._replace(classifier=scene.classifier.model_copy(update={"roles": roles}))


def moved(groups: Sequence[TensorGroup]) -> dict[str, float]:
    return {group.name: group.pairs["before-after"].l2 for group in groups}


def test_a_copy_is_at_distance_zero(whole: ProbeContext) -> None:
    before = whole.models["before"]
    found = measured(whole._replace(models={"before": before, "after": copy.deepcopy(before)}))
    assert set(moved(found.layers).values()) == {0.0}
    assert set(moved(found.statistics).values()) == {0.0}
    assert found.total == {"before-after": WeightDistance(l2=0.0, relative=0.0)}


def test_only_the_changed_layer_moves_and_by_what_it_was_changed(whole: ProbeContext) -> None:
    before = whole.models["before"]
    after = copy.deepcopy(before)
    with torch.no_grad():
        after.get_parameter("body.0.weight")[0, 0, 0, :2] += torch.tensor([3.0, 0.0])
        after.get_parameter("body.1.bias")[5] += 4.0
    found = measured(whole._replace(models={"before": before, "after": after}))
    assert moved(found.layers) == {"stem": 0.0, "body": pytest.approx(5, rel=1e-6), "shortcut": 0.0, "head": 0.0}
    assert set(moved(found.statistics).values()) == {0.0}
    assert found.total["before-after"].l2 == pytest.approx(5, rel=1e-6)
    body = next(row for row in found.layers if row.name == "body")
    size = (
        torch.cat([weight.detach().flatten() for weight in before.get_submodule("body").parameters()]).double().norm()
    )
    assert body.pairs["before-after"].relative == pytest.approx(5 / float(size), rel=1e-5)
    assert (body.tensors, body.weights, body.shape) == (3, 12 * 8 * 9 + 12 + 12, "12×8×3×3")


def test_running_statistics_are_apart(whole: ProbeContext) -> None:
    before = whole.models["before"]
    after = copy.deepcopy(before)
    after.get_buffer("stem.1.running_var")[:2] += torch.tensor([0.3, 0.4])
    after.get_buffer("stem.1.num_batches_tracked").add_(1000)
    found = measured(whole._replace(models={"before": before, "after": after}))
    assert set(moved(found.layers).values()) == {0.0}
    assert moved(found.statistics) == {"stem": pytest.approx(0.5, rel=1e-5), "body": 0.0, "shortcut": 0.0}
    assert [(row.tensors, row.weights) for row in found.statistics] == [(2, 16), (2, 24), (2, 24)]


def test_nothing_is_dropped_and_nothing_counts_twice(whole: ProbeContext) -> None:
    found = measured(with_layers(whole, "stem", "stem.0", "body"))
    rows = {row.name: row for row in found.layers}
    assert {name: row.tensors for name, row in rows.items()} == {"stem": 2, "stem.0": 1, "body": 3, "other": 5}
    assert sum(row.weights for row in rows.values()) == sum(w.numel() for w in whole.models["before"].parameters())
    squares = sum(row.pairs["before-after"].l2 ** 2 for row in rows.values())
    assert found.total["before-after"].l2 == pytest.approx(squares**0.5)


def test_a_name_that_merely_begins_alike_is_another_layer(whole: ProbeContext) -> None:
    found = measured(with_layers(whole, "bod", "stem"))
    assert [(row.name, row.tensors) for row in found.layers] == [("stem", 3), ("other", 8)]


def test_pairs_are_there_as_far_as_their_models_are(whole: ProbeContext) -> None:
    assert set(measured(whole).total) == {"before-after", "before-gold", "before-other"}
    two = {model: whole.models[model] for model in ("before", "after")}
    assert {tuple(row.pairs) for row in measured(whole._replace(models=two)).layers} == {("before-after",)}
    assert "no weight distance" in str(measure(whole._replace(models={})))


def test_kinds_are_told_by_their_modules_and_hold_every_weight_once(whole: ProbeContext) -> None:
    found = measured(whole)
    kinds = {row.name: row for row in found.kinds}
    assert list(kinds) == ["conv", "norm", "head"]
    net = whole.models["before"]
    norms = [name for name, module in net.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert {name for name, _ in kinds["norm"].tensor_shapes} == {
        f"{norm}.{part}" for norm in norms for part in ("weight", "bias")
    }
    assert {name for name, _ in kinds["head"].tensor_shapes} == {"head.weight", "head.bias"}
    assert dict(kinds["head"].tensor_shapes)["head.weight"] == "×".join(
        map(str, net.get_parameter("head.weight").shape)
    )
    assert sum(row.weights for row in kinds.values()) == sum(w.numel() for w in net.parameters())
    for pair, total in found.total.items():
        assert total.l2**2 == pytest.approx(sum(row.pairs[pair].l2 ** 2 for row in kinds.values()))
        assert found.mean[pair].l2 == pytest.approx(sum(row.pairs[pair].l2 for row in found.layers) / len(found.layers))
        for row in found.layers:
            parts = [own[pair].l2 ** 2 for own in row.kinds.values()]
            assert row.pairs[pair].l2 ** 2 == pytest.approx(sum(parts))
    assert [list(row.kinds) for row in found.layers] == [["conv", "norm"]] * 3 + [["head"]]


def test_a_norm_that_moved_is_not_laid_at_the_convolutions_door(whole: ProbeContext) -> None:
    before = whole.models["before"]
    after = copy.deepcopy(before)
    with torch.no_grad():
        after.get_parameter("body.1.bias")[5] += 4.0
    rows = {row.name: row for row in measured(whole._replace(models={"before": before, "after": after})).layers}
    assert rows["body"].kinds["conv"]["before-after"].l2 == 0
    assert rows["body"].kinds["norm"]["before-after"].l2 == pytest.approx(4)


def test_two_golds_are_measured_from_gold(whole: ProbeContext) -> None:
    gold = whole.models["gold"]
    twin = copy.deepcopy(gold)
    with torch.no_grad():
        twin.get_parameter("head.bias")[0] += 2.0
    found = measured(whole._replace(models={**whole.models, "twin": twin}))
    size = torch.cat([weight.detach().flatten() for weight in gold.parameters()]).double().norm()
    distance = found.total["gold-twin"]
    assert (distance.l2, distance.relative) == pytest.approx((2.0, 2.0 / float(size)), rel=1e-5)
