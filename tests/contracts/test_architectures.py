"""Every architecture has what methods that act on single layers or weights need.

Models on the device "meta" have shapes but no values, so that even the largest are tried here.
"""

from functools import cache

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unlearn_core.models import architectures
from unlearn_core.training.importance import batch_gradients, fisher_diagonal, output_sensitivity, share_by_layer
from unlearn_core.training.reinitialize import following_norms, random_masks, reinitializable_layers

CARDS = architectures.cards()
SAME_CODE = {f"resnet{depth}{kind}" for depth in (32, 44, 56, 110) for kind in ("", "_plain")}
"""ResNet-20 is tried here, in both kinds; these differ from it only in the number of blocks."""
QUICK = {"vgg16_bn", "wide_resnet28_10", "swin_tiny", "convnext_tiny"}
each = pytest.mark.parametrize("name", CARDS)
each_code = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in CARDS if name not in SAME_CODE],
)


@cache
def without_memory(name: str) -> nn.Module:
    with torch.device("meta"):
        return architectures.build(name, 4, size(name), nn.Identity()).eval()


def size(name: str) -> int:
    return max(32, CARDS[name].smallest)


def images(name: str) -> torch.Tensor:
    return torch.zeros(2, 3, size(name), size(name), device="meta")


def shapes(named: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in named.items()}


@each
def test_layers_can_be_reinitialized_and_head_and_projections_be_spared(name: str) -> None:
    net, roles = without_memory(name), CARDS[name].roles
    every = reinitializable_layers(net)
    spared = reinitializable_layers(net, spared=(*roles.head, *roles.shortcuts))
    assert spared and set(spared) < set(every)
    assert len(every) - len(spared) == len(roles.head) + len(roles.shortcuts)
    norms = following_norms(net)
    assert len(set(norms.values())) == len(norms)
    with torch.device("cpu"):
        masks = random_masks(net, spared[:2], 0.5, torch.Generator())
    assert all(net.get_parameter(weight).shape == mask.shape for weight, mask in masks.items())


@each_code
def test_every_weight_has_an_importance(name: str) -> None:
    """L2UL's from each image's own gradient, Fisher's from each output's, SSD's and SalUn's from those of a batch."""
    net = without_memory(name)
    weights = shapes(dict(net.named_parameters()))
    assert shapes(output_sensitivity(net, images(name))) == weights
    assert shapes(fisher_diagonal(net, images(name))) == weights
    batches = [(images(name), torch.zeros(2, dtype=torch.long, device="meta"))]
    assert shapes(batch_gradients(net, batches, score=F.cross_entropy, measure=torch.square)) == weights


@each
def test_every_layer_has_weights_of_its_own(name: str) -> None:
    """SalUn's mask is shown as a share of each layer's weights."""
    chosen = {weight: torch.ones(value.shape) > 0 for weight, value in without_memory(name).named_parameters()}
    assert share_by_layer(chosen, CARDS[name].roles.layers) == [1.0] * len(CARDS[name].roles.layers)
