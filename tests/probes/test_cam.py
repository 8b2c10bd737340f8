"""Grad-CAM against an implementation by hand, and what it must not change."""

import copy
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.probes.small_context import IMAGES, net, scene
from unlearn_core.domain.results.explanations import CamResult
from unlearn_core.probes.cam import PER_SIDE, SAMPLE_SIZE, measure, sample_images
from unlearn_core.probes.common.class_activation import explain
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.testing.tiny.models.architectures.tiny import Tiny
from unlearn_core.training.weights import checksum


def some(whole: ProbeContext) -> tuple[Tensor, list[int]]:
    return whole.images[:5], [2, 0, 2, 3, 1]


def by_hand(tiny: Tiny, images: Tensor, targets: list[int]) -> np.ndarray:
    x = tiny.stem(tiny.normalise(images.permute(0, 3, 1, 2) / 255))
    body = tiny.body(x)
    logits = tiny.head(F.relu(body + tiny.shortcut(x)).mean((2, 3)))
    (slope,) = torch.autograd.grad(logits[range(len(targets)), targets].sum(), body)
    return F.relu((slope.mean((2, 3), keepdim=True) * body).sum(1)).detach().numpy()


def test_maps_are_those_of_the_formula(whole: ProbeContext) -> None:
    images, targets = some(whole)
    maps = explain(whole.models, images, targets, "body")
    assert list(maps) == list(whole.models)
    for model, own in whole.models.items():
        expected = by_hand(cast(Tiny, own), images, targets)
        assert maps[model].dtype == np.float32
        assert maps[model].shape == (5, 4, 4)
        assert np.allclose(maps[model], expected, atol=1e-5)
        assert expected.max() > 1e-3


def test_maps_keep_the_scale_of_the_logits(whole: ProbeContext) -> None:
    images, targets = some(whole)
    louder = cast(Tiny, copy.deepcopy(whole.models["before"]))
    with torch.no_grad():
        louder.head.weight.mul_(0.25)
    maps = explain({"before": whole.models["before"], "after": louder}, images, targets, "body")
    assert np.allclose(maps["after"], maps["before"] / 4, rtol=1e-4)
    assert maps["before"].max() > 1e-3


def test_identical_models_have_identical_maps_and_the_class_matters(whole: ProbeContext) -> None:
    images, targets = some(whole)
    twins = explain({"before": net(0), "after": net(0)}, images, targets, "body")
    assert np.array_equal(twins["before"], twins["after"])
    others = explain({"before": net(0)}, images, [(target + 1) % 4 for target in targets], "body")
    assert not np.allclose(others["before"], twins["before"], atol=1e-3)


def test_models_are_left_alone_even_frozen_ones(whole: ProbeContext) -> None:
    images, targets = some(whole)
    own = net(0).train().requires_grad_(False)
    own.head.requires_grad_(True)
    before, state = checksum(own), torch.get_rng_state()
    with torch.no_grad():
        maps = explain({"after": own}, images, targets, "body")["after"]
    assert np.array_equal(maps, explain({"after": net(0)}, images, targets, "body")["after"])
    assert maps.max() > 0
    assert checksum(own) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training and not module._forward_hooks for module in own.modules())
    assert [name for name, weight in own.named_parameters() if weight.requires_grad] == ["head.weight", "head.bias"]
    assert all(weight.grad is None for weight in own.parameters())


def test_an_operation_in_place_behind_the_layer_does_no_harm(whole: ProbeContext) -> None:
    images, targets = some(whole)
    nets = {}
    for inplace in (True, False):
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 8, 3), nn.ReLU(inplace), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
        nets[str(inplace)] = nn.Sequential(*layers)
    maps = explain(nets, images, targets, "0")
    assert np.array_equal(maps["True"], maps["False"])
    assert maps["True"].max() > 0


def test_cards_tell_what_the_maps_show(whole: ProbeContext) -> None:
    found = measure(whole)
    assert isinstance(found, CamResult)
    assert found.layer == "body"
    assert list(found.to_part().arrays) == ["pictures", "before", "after", "gold"]
    assert [shown.set for shown in found.images] == ["forget_test"] * PER_SIDE + ["retain_test"] * PER_SIDE
    for number, shown in enumerate(found.images):
        assert shown.image in getattr(whole.split, shown.set)
        assert shown.label == shown.target == whole.labels[shown.image]
        assert np.array_equal(found.pixels[number], whole.images[shown.image].numpy())
        for model, own in shown.models.items():
            shares = torch.from_numpy(whole.evaluations[model].logits[shown.image]).softmax(0)
            assert own.predicted == int(shares.argmax())
            assert np.allclose([own.probability, own.target_probability], [shares.max(), shares[shown.target]])
            assert own.peak == found.maps[model][number].max()


def test_single_images_are_shown_themselves_and_the_draw_is_the_requests() -> None:
    images = scene("before", "after", forget=IMAGES)
    found = measure(images)
    assert isinstance(found, CamResult)
    assert [shown.image for shown in found.images[:3]] == list(IMAGES.images)
    assert [shown.set for shown in found.images] == ["forget_train"] * 3 + ["retain_test"] * PER_SIDE
    assert sample_images(images.split, "one request") != sample_images(images.split, "another")


def test_likeness_is_measured_on_more_images_than_are_shown(whole: ProbeContext) -> None:
    measured = measure(whole)
    assert isinstance(measured, CamResult) and measured.similarity is not None
    assert list(measured.similarity) == ["forget", "retain"]
    for pairs in measured.similarity.values():
        assert list(pairs) == ["before-after", "gold-after", "before-gold"]
        assert all(PER_SIDE < one.images <= SAMPLE_SIZE for one in pairs.values())
    same = measure(whole._replace(models=dict.fromkeys(whole.models, net(0))))
    assert isinstance(same, CamResult) and same.similarity is not None
    assert same.similarity["forget"]["gold-after"].rank == pytest.approx([1, 1, 1])


def test_a_model_without_maps_gives_the_reason(whole: ProbeContext) -> None:
    roles = whole.classifier.roles.model_copy(update={"cam": "head"})
    said = measure(whole._replace(classifier=whole.classifier.model_copy(update={"roles": roles})))
    assert isinstance(said, str) and "no map" in said
