"""A model is known by its bits, and evaluated without being disturbed."""

import torch
from torch import nn

from unlearn_core.data import datasets
from unlearn_core.models import classifiers
from unlearn_core.training import evaluate, weights
from unlearn_core.training.seeding import seeded


def _net(seed: int) -> nn.Module:
    with seeded(seed, "init"):
        return classifiers.build(classifiers.card("tiny"), datasets.card("shapes"))


def test_the_checksum_knows_every_bit_buffers_included() -> None:
    one, two = _net(0), _net(0)
    assert weights.checksum(one) == weights.checksum(two) != weights.checksum(_net(1))
    two.get_buffer("stem.1.running_mean")[0] += 1e-6
    assert weights.checksum(one) != weights.checksum(two)


def test_weights_survive_the_file() -> None:
    one, two, half = _net(0), _net(1), _net(2)
    weights.from_bytes(two, weights.to_bytes(one))
    assert weights.checksum(one) == weights.checksum(two)
    weights.from_bytes(half, weights.to_bytes(one, half=True))
    assert half.get_parameter("head.weight").dtype == torch.float32
    assert torch.allclose(half.get_parameter("head.weight"), one.get_parameter("head.weight"), atol=1e-3)


def test_evaluating_leaves_every_module_in_its_mode() -> None:
    net = _net(0).train()
    net.get_submodule("stem").eval()
    before = weights.checksum(net)
    images = torch.zeros(7, 16, 16, 3, dtype=torch.uint8)
    logits = evaluate.logits(net, images)
    assert logits.shape == (7, 4) and logits.dtype.name == "float32"
    assert net.training and not net.get_submodule("stem").training and not net.get_submodule("stem.1").training
    assert weights.checksum(net) == before


def test_the_bundled_weights_are_the_models_that_their_descriptions_name() -> None:
    from unlearn_core.models import bundled_models

    for found in bundled_models.bundled("tiny"):
        net = classifiers.build(classifiers.card("tiny"), datasets.card("shapes"))
        weights.from_bytes(net, bundled_models.read_weights(found))
        assert weights.checksum(net) == found.weights
