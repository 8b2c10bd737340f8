"""Every architecture: its card is correct, a seed determines its weights, and its heat maps differ between places."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet
from torch import Tensor, nn

from unlearn_core.domain.errors import NotFoundError, NotSupportedError
from unlearn_core.models import architectures, layer_roles, small_resnet
from unlearn_core.models.normalize import Normalize
from unlearn_core.models.spatial import to_spatial
from unlearn_core.plugins import discover
from unlearn_core.probes.common.class_activation import explain
from unlearn_core.training import weights
from unlearn_core.training.seeding import seeded

CARDS = architectures.cards()
PICTURES = {name: card for name, card in CARDS.items() if card.roles.cam is not None}
RUN_HERE = {"tiny", "mlp", "resnet8", "resnet18", "resnet18_torchvision", "resnet20", "resnet20_plain"}
RUN_HERE |= {"all_cnn", "mobilenet_v2", "vit_tiny"}
"""The others are large, or of the same code as one of these: they are built here, and run in the slow tests."""


def _marked(names: Iterable[str]) -> list[ParameterSet]:
    return [pytest.param(name, marks=[] if name in RUN_HERE else [pytest.mark.slow]) for name in names]


each_card = pytest.mark.parametrize("name", CARDS)
each = pytest.mark.parametrize("name", _marked(CARDS))
each_with_maps = pytest.mark.parametrize("name", _marked(PICTURES))


def made(name: str, *, seed: int = 0, classes: int = 5, size: int = 32) -> nn.Module:
    with seeded(seed, "architectures"):
        return architectures.build(name, classes, max(size, CARDS[name].smallest), Normalize((0.5,) * 3, (0.25,) * 3))


@cache
def without_memory(name: str) -> nn.Module:
    """The model on the device "meta", where its weights have shapes but no values: nothing is computed."""
    with torch.device("meta"):
        return made(name)


def seen_in(net: nn.Module, names: tuple[str, ...], size: int, *, device: str = "cpu") -> dict[str, Tensor]:
    """The outputs of the named modules for two images, in order of execution."""
    found: dict[str, Tensor] = {}

    def keep(name: str):
        return lambda module, given, output: found.setdefault(name, output)

    hooks = [net.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    with torch.no_grad():
        net.eval()(torch.rand(2, 3, size, size, device=device))
    for hook in hooks:
        hook.remove()
    return found


@each_card
def test_its_card_is_complete_and_named_like_its_file(name: str) -> None:
    card = CARDS[name]
    assert discover("models.architectures")[name].CARD is card and card.id == name
    assert card.title and card.summary.endswith(".") and card.source.endswith(".")


@each_card
def test_its_weights_are_counted(name: str) -> None:
    with torch.device("meta"):
        net = architectures.build(name, 10, CARDS[name].smallest, nn.Identity())
    assert CARDS[name].weights == sum(weight.numel() for weight in net.parameters())


def test_the_smallest_come_first() -> None:
    counts = [card.weights or 0 for card in CARDS.values()]
    assert counts == sorted(counts) and list(CARDS)[-1] == "wide_resnet28_10"


@each_card
def test_its_layers_are_there_in_the_order_of_passing_and_overlap_nowhere(name: str) -> None:
    net, own = without_memory(name), CARDS[name].roles
    assert list(seen_in(net, own.layers, max(32, CARDS[name].smallest), device="meta")) == list(own.layers)
    for layer in own.layers:
        assert any(True for _ in net.get_submodule(layer).parameters()), f"{layer} has no weights"
        assert not any(other.startswith(f"{layer}.") for other in own.layers)
    named = [weight for layer in own.layers for weight in net.get_submodule(layer).parameters()]
    whole = sum(weight.numel() for weight in net.parameters())
    assert sum(weight.numel() for weight in named) > 0.98 * whole


@each_card
def test_its_head_and_its_projections_are_what_they_are_called(name: str) -> None:
    net, own = without_memory(name), CARDS[name].roles
    head = net.get_submodule(own.head[-1])
    assert isinstance(head, nn.Linear) and head.out_features == 5
    for shortcut in own.shortcuts:
        kernels = {part.kernel_size for part in net.get_submodule(shortcut).modules() if isinstance(part, nn.Conv2d)}
        assert kernels == {(1, 1)}
    assert own.shortcuts or "resnet" not in name or "plain" in name


@each
def test_one_seed_makes_one_net_and_its_weights_travel(name: str) -> None:
    one, same, other = made(name), made(name), made(name, seed=1)
    assert weights.checksum(one) == weights.checksum(same) != weights.checksum(other)
    assert not any(key.startswith("normalise") for key in one.state_dict())
    weights.from_bytes(other, weights.to_bytes(one))
    assert weights.checksum(other) == weights.checksum(one)
    pictures = torch.rand(2, 3, *[max(32, CARDS[name].smallest)] * 2)
    assert torch.equal(one.eval()(pictures), other.eval()(pictures))


@each
def test_pixels_are_normalised_first(name: str) -> None:
    size = max(32, CARDS[name].smallest)
    with seeded(0, "architectures"):
        bare = architectures.build(name, 5, size, nn.Identity()).eval()
    pictures = torch.rand(2, 3, size, size)
    assert torch.equal(made(name).eval()(pictures), bare((pictures - 0.5) / 0.25))


@each_with_maps
def test_its_maps_tell_places_apart(name: str) -> None:
    """For some class of each image: for other classes the heat map of an untrained model is empty."""
    net, own = made(name).eval(), CARDS[name].roles
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (2, 32, 32, 3), generator=draw).byte()
    layers = own.explainable_layers if name == "vit_tiny" else (own.cam,)
    for layer in layers:
        maps = [
            explain({"net": net}, pictures, [target] * 2, layer, prefix_tokens=own.prefix_tokens)["net"]
            for target in range(5)
        ]
        assert (np.stack(maps).std((2, 3)) > 0).any(0).all(), layer
        assert min(maps[0].shape[1:]) >= (4 if layer == own.cam else 2)


@pytest.mark.parametrize("name", PICTURES)
def test_the_layers_that_are_offered_have_places_at_32_pixels(name: str) -> None:
    own = CARDS[name].roles
    assert own.cam in own.explainable_layers
    outputs = seen_in(without_memory(name), own.explainable_layers, 32, device="meta")
    assert set(outputs) == set(own.explainable_layers)
    for layer, output in outputs.items():
        spatial = to_spatial(output, prefix_tokens=own.prefix_tokens)
        assert spatial is not None and min(spatial.shape[2:]) >= (4 if layer == own.cam else 2), layer


@pytest.mark.parametrize("name", ["resnet18", "resnet18_torchvision", "mobilenet_v2", "vit_tiny"])
def test_looking_finds_what_the_card_says(name: str) -> None:
    own, found = CARDS[name].roles, layer_roles.infer_roles(made(name), 32)
    assert (found.layers, found.head, found.shortcuts) == (own.layers, own.head, own.shortcuts)
    assert found.prefix_tokens == own.prefix_tokens and found.cam == own.cam
    assert found.explainable_layers == own.explainable_layers


def test_the_small_stem_halves_nothing_and_torchvisions_does() -> None:
    shapes = {
        name: [tuple(one.shape[2:]) for one in seen_in(made(name), CARDS[name].roles.layers[2:-1], 32).values()]
        for name in ("resnet18", "resnet18_torchvision")
    }
    assert [shape[0] for shape in shapes["resnet18"][::2]] == [32, 16, 8, 4]
    assert [shape[0] for shape in shapes["resnet18_torchvision"][::2]] == [8, 4, 2, 1]


def test_a_plain_shortcut_skips_places_and_fills_up_with_zeros() -> None:
    x = torch.rand(2, 16, 8, 8)
    y = small_resnet.PadShortcut(16, 2)(x)
    assert y.shape == (2, 32, 4, 4)
    assert torch.equal(y[:, 8:24], x[:, :, ::2, ::2]) and not y[:, :8].any() and not y[:, 24:].any()
    plain, projected = made("resnet20_plain"), made("resnet20")
    assert not any("shortcut" in key for key in plain.state_dict())
    assert any("shortcut" in key for key in projected.state_dict())


def test_what_does_not_fit_is_refused_with_a_reason() -> None:
    with pytest.raises(NotSupportedError, match="not a multiple"):
        architectures.build("vit_tiny", 5, 30, nn.Identity())
    with pytest.raises(NotSupportedError, match="32 pixels or more, and these have 16"):
        architectures.build("resnet18_torchvision", 5, 16, nn.Identity())
    with pytest.raises(NotFoundError, match="resnet18"):
        architectures.card("resnet_18")
