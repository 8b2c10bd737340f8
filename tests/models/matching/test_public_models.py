"""State dicts of public repositories become our architectures, output for output."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from tests.models.matching import public_models as public
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.models import architectures
from unlearn_core.models.matching.find import Found, find_matches
from unlearn_core.models.normalize import Normalize

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
TOLERANCE = 1e-5
OBJECTS = DatasetCard(
    id="objects", title="Objects", summary="", classes=tuple("abcdefghij"), size=32, train=9, val=9, test=9,
    licence="", source="",
)  # fmt: skip

PUBLIC: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "akamaster, 20": (lambda: public.akamaster(20), "resnet20_plain", "names of ResNet repositories"),
    "chenyaofo, 20": (lambda: public.projected((3, 3, 3), 16), "resnet20", "names of ResNet repositories"),
    "kuangliu's names, 20": (
        lambda: public.projected((3, 3, 3), 16, shortcut="shortcut", head="linear"),
        "resnet20",
        "names of ResNet repositories",
    ),
    "kuangliu, 18": (
        lambda: public.projected((2, 2, 2, 2), 64, shortcut="shortcut", head="linear"),
        "resnet18",
        "names of ResNet repositories",
    ),
    "torchvision, 18": (lambda: public.torchvision_resnet18(small=False), "resnet18_torchvision", "names as they are"),
    "names that nobody uses, 8": (
        lambda: public.projected(
            (1, 1, 1), 8, shortcut="extra", first=True, stage="part_", stem=("entry", "entry_b"), head="decide"
        ),
        "resnet8",
        "by order and shape",
    ),
    "torchvision, MobileNetV2": (public.torchvision_mobilenet, "mobilenet_v2", "names as they are"),
    "torchvision, ViT": (public.torchvision_vit, "vit_tiny", "names of vision transformer repositories"),
    "Hugging Face, ViT": (
        public.HuggingFaceViT,
        "vit_tiny",
        "names of vision transformer repositories, without 'vit.'",
    ),
}  # fmt: skip


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}


def found(tensors: Mapping[str, Tensor], architecture: str = "") -> Found:
    return find_matches(shapes(tensors), OBJECTS, architecture=architecture)


def loaded(tensors: Mapping[str, Tensor], architecture: str = "") -> tuple[nn.Module, str, str]:
    """Our model with these weights in eval mode, the architecture that was found, and how names were matched."""
    match = found(tensors, architecture).candidates[0]
    model = architectures.build(match.target.architecture, 10, 32, Normalize(MEAN, STD))
    model.load_state_dict(model.state_dict() | match.state(tensors))
    return model.eval(), match.target.architecture, match.how


@torch.inference_mode()
def agrees(ours: nn.Module, theirs: nn.Module) -> bool:
    """Whether both give the same logits, for ours within pixels in [0, 1], for theirs normalised ones."""
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = theirs(Normalize(MEAN, STD)(images))
    assert float(expected.std()) > 1e-3, "logits that are all alike would prove nothing"
    return float((ours(images) - expected).abs().max()) <= TOLERANCE


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_model_is_found_and_agrees(name: str) -> None:
    make, architecture, how = PUBLIC[name]
    theirs = public.shaken(make())
    ours, found_architecture, matched = loaded(theirs.state_dict())
    assert (found_architecture, matched) == (architecture, how)
    assert agrees(ours, theirs)
