"""Models of torchvision and timm by name: which names are valid, and that layer roles are inferred correctly."""

import socket
import urllib.request
from typing import Any

import pytest
import torch
from torch import nn

from unlearn_core.domain.errors import NotFoundError, NotSupportedError
from unlearn_core.models import architectures, external, layer_roles
from unlearn_core.models.external import ModelName
from unlearn_core.models.torchvision_stem import with_normalization
from unlearn_core.probes.common.class_activation import explain

SMALL = (
    "timm:test_resnet",
    "timm:test_convnext",
    "timm:test_efficientnet_ln",
    "timm:test_vit",
    "timm:test_vit3",
    "timm:test_byobnet",
    "torchvision:mobilenet_v3_small",
    "torchvision:squeezenet1_1",
    "torchvision:shufflenet_v2_x0_5",
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may open a connection."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("network access")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("torchvision:resnet18", ModelName("torchvision", "resnet18", None)),
        ("torchvision:resnet50:IMAGENET1K_V2", ModelName("torchvision", "resnet50", "IMAGENET1K_V2")),
        ("timm:resnet26", ModelName("timm", "resnet26", None)),
        ("timm:resnet26.bt_in1k", ModelName("timm", "resnet26", "bt_in1k")),
    ],
)
def test_names(name: str, meant: ModelName) -> None:
    assert external.parse(name) == meant


@pytest.mark.parametrize(
    "name",
    [
        "timm:",
        "timm:local-dir:/etc",
        "timm:/etc/passwd",
        "timm:hf_hub:owner/name",
        "timm:resnet26.of_mine",
        "torchvision:fcn_resnet50",
        "torchvision:resnet18:MINE",
        "torchvision:../resnet18",
        "local-dir:/tmp",
        "https://example.com/net.pth",
        "hf_hub:owner/name",
        "torch:hub",
    ],
)
def test_what_is_no_name_of_a_net_is_refused(name: str) -> None:
    with pytest.raises(NotFoundError):
        architectures.card(name)
    with pytest.raises(NotFoundError):
        architectures.build(name, 10, 32, nn.Identity())


def test_the_likeliest_names_are_told() -> None:
    with pytest.raises(NotFoundError, match=r"model of timm called 'resnet_26'. Known: resnet26, .* others"):
        external.parse("timm:resnet_26")
    with pytest.raises(NotFoundError, match="Known: IMAGENET1K_V1, DEFAULT"):
        external.parse("torchvision:resnet18:V1")


@pytest.mark.parametrize("name", SMALL)
def test_looking_finds_roles_that_hold(name: str) -> None:
    size = 64
    state = torch.get_rng_state()
    own = architectures.card(name, size).roles
    assert torch.equal(torch.get_rng_state(), state), "inferring roles does not change torch's random state"
    net = architectures.build(name, 7, size, nn.Identity()).eval()
    assert 5 <= len(own.layers) <= layer_roles.MAX_LAYERS
    for layer in own.layers:
        assert any(True for _ in net.get_submodule(layer).parameters())
        assert not any(other.startswith(f"{layer}.") for other in own.layers)
    head = net.get_submodule(own.head[-1])
    assert isinstance(head, nn.Linear | nn.Conv2d) and len(head.weight) == 7
    assert any(own.head[-1] == layer or own.head[-1].startswith(f"{layer}.") for layer in own.layers[-1:])
    assert own.cam in own.explainable_layers
    # Some weights begin at zero, where nothing of a block reaches the answer: as learnt ones never are.
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(3))
    pictures = torch.randint(0, 256, (1, size, size, 3), generator=torch.Generator().manual_seed(1)).byte()
    seen = [
        explain({"net": net}, pictures, [target], own.cam, prefix_tokens=own.prefix_tokens)["net"]
        for target in range(7)
    ]
    assert min(seen[0].shape[1:]) >= layer_roles.MIN_CAM_SIDE and any(one.std() > 0 for one in seen)


def test_a_transformer_is_looked_at_where_patches_are_mixed_for_the_last_time() -> None:
    own = architectures.card("timm:test_vit", 64).roles
    assert own.cam == "net.blocks.5.norm1" and own.prefix_tokens == 1
    assert "net.blocks.5" not in own.explainable_layers and "net.blocks.4" in own.explainable_layers


def test_a_picture_that_ends_in_one_place_has_no_map_there() -> None:
    large, small = (architectures.card("torchvision:resnet18", size).roles for size in (128, 32))
    assert large.cam == "net.layer4.1" and small.cam == "net.layer2.1"
    assert "net.layer4.1" in large.explainable_layers and "net.layer4.1" not in small.explainable_layers


def test_a_net_that_mixes_no_places_has_no_map() -> None:
    flat = with_normalization(
        nn.Identity(), nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 16), nn.ReLU(), nn.Linear(16, 5))
    )
    own = layer_roles.infer_roles(flat, 8)
    assert own.cam is None and own.explainable_layers == () and own.head == ("net.3",)
    assert own.layers == ("net.1", "net.3")


@pytest.mark.parametrize(("name", "size"), [("torchvision:alexnet", 32), ("timm:test_vit", 33)])
def test_pictures_of_a_size_that_a_net_does_not_take_are_refused(name: str, size: int) -> None:
    with pytest.raises(NotSupportedError, match=f"does not support images of {size} pixels .* made for"):
        architectures.build(name, 10, size, nn.Identity())


def test_pictures_that_shrink_to_one_place_too_soon_are_refused() -> None:
    """Torch's bfloat16 gives garbage there as a gradient, on a CPU."""
    with pytest.raises(NotSupportedError, match=r"shrink to one place before net.layer4.0.conv1"):
        architectures.card("torchvision:resnet18", 16)


def test_one_seed_makes_one_net_whether_it_was_looked_at_before_or_not() -> None:
    nets = []
    for _ in range(2):
        torch.manual_seed(4)
        nets.append(architectures.build("timm:test_convnext2", 3, 48, nn.Identity()).state_dict())
    assert all(torch.equal(one, other) for one, other in zip(*(net.values() for net in nets), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchvision:googlenet", "torchvision:inception_v3"])
def test_nets_with_side_answers_give_one(name: str) -> None:
    net = architectures.build(name, 4, 96, nn.Identity()).train()
    assert net(torch.rand(2, 3, 96, 96)).shape == (2, 4)
