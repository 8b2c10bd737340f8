"""State dicts of public repositories become our architectures, output for output."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from tests.models.matching import public_models as public
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.models import architectures
from unlearn_core.models.matching.find import Found, find_matches
from unlearn_core.models.matching.match import StateDictMatch
from unlearn_core.models.normalize import Normalize

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
TOLERANCE = 1e-5
OBJECTS = DatasetCard(
    id="objects", title="Objects", summary="", classes=tuple("abcdefghij"), size=32, train=9, val=9, test=9,
    licence="", source="",
)  # fmt: skip

RESNETS, FEATURES = "names of ResNet repositories", "names of VGG, DenseNet and MobileNet repositories"
TRANSFORMERS = "names of vision transformer repositories"
BY_ORDER = "by order and shape"


class Public(NamedTuple):
    """A public model, the architecture of ours that it is, and how their tensors match."""

    make: Callable[[], nn.Module]
    architecture: str
    how: str = "names as they are"


PUBLIC = {
    "akamaster 20": Public(lambda: public.akamaster(20), "resnet20_plain", RESNETS),
    "chenyaofo 20": Public(lambda: public.projected((3, 3, 3), 16), "resnet20", RESNETS),
    "names that nobody uses": Public(
        lambda: public.projected(
            (1, 1, 1), 8, shortcut="extra", first=True, stage="part_", stem=("entry", "entry_b"), head="decide"
        ),
        "resnet8",
        BY_ORDER,
    ),
    "torchvision MobileNetV2": Public(public.torchvision_mobilenet, "mobilenet_v2"),
    "torchvision ViT": Public(public.torchvision_vit, "vit_tiny", TRANSFORMERS),
    "Hugging Face ViT": Public(public.HuggingFaceViT, "vit_tiny", f"{TRANSFORMERS}, without 'vit.'"),
}
LARGE = {
    "akamaster 32": Public(lambda: public.akamaster(32), "resnet32_plain", RESNETS),
    "chenyaofo 56": Public(lambda: public.projected((9, 9, 9), 16), "resnet56", RESNETS),
    "kuangliu 18": Public(
        lambda: public.projected((2, 2, 2, 2), 64, shortcut="shortcut", head="linear"), "resnet18", RESNETS
    ),
    "torchvision 18": Public(lambda: public.torchvision_resnet18(small=False), "resnet18_torchvision"),
    "kuangliu VGG": Public(lambda: public.LiuVgg(5), "vgg16_bn_maxpool"),
    "Unlearn-Sparse VGG": Public(lambda: public.LiuVgg(4), "vgg16_bn"),
    "akamaster 110": Public(lambda: public.akamaster(110), "resnet110_plain", RESNETS),
    "chenyaofo 110": Public(lambda: public.projected((18, 18, 18), 16), "resnet110", RESNETS),
    "kuangliu 34": Public(
        lambda: public.projected((3, 4, 6, 3), 64, shortcut="shortcut", head="linear"), "resnet34", RESNETS
    ),
    "xternalz WideResNet": Public(public.WideResNet, "wide_resnet28_10", "names of WideResNet repositories"),
    "kuangliu DenseNet": Public(
        lambda: public.DenseNet(first=True), "densenet121", f"{BY_ORDER}, newest channels first"
    ),
    "DenseNet, newest last": Public(lambda: public.DenseNet(first=False), "densenet121", BY_ORDER),
    "timm ConvNeXt": Public(public.timm_convnext, "convnext_tiny", "names of ConvNeXt repositories"),
    "timm Swin": Public(public.timm_swin, "swin_tiny"),
}


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}


def found(tensors: Mapping[str, Tensor], architecture: str = "") -> Found:
    return find_matches(shapes(tensors), OBJECTS, architecture=architecture)


def load(match: StateDictMatch, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Our model with these weights, in eval mode."""
    model = architectures.build(match.target.architecture, 10, 32, Normalize(MEAN, STD))
    model.load_state_dict(model.state_dict() | match.state(tensors))
    return model.eval()


@torch.inference_mode()
def difference(ours: nn.Module, theirs: nn.Module, count: int = 4) -> float:
    """The largest difference between their logits, for ours from pixels in [0, 1], for theirs from normalised ones."""
    images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = theirs(Normalize(MEAN, STD)(images))
    assert float(expected.std()) > 1e-3, "logits that are all alike would prove nothing"
    return float((ours(images) - expected).abs().max())


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_model_is_found_and_agrees(name: str) -> None:
    check_agreement(PUBLIC[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_public_model_agrees(name: str) -> None:
    check_agreement(LARGE[name])


def check_agreement(known: Public) -> None:
    theirs = public.shaken(known.make())
    candidates = {(one.target.architecture, one.how): one for one in found(theirs.state_dict()).candidates}
    assert (known.architecture, known.how) in candidates, candidates.keys()
    apart = {way: difference(load(match, theirs.state_dict()), theirs) for way, match in candidates.items()}
    assert apart.pop((known.architecture, known.how)) <= TOLERANCE
    assert all(value > 100 * TOLERANCE for value in apart.values()), "accuracy can decide between the others"


@pytest.mark.parametrize("name", LARGE)
def test_a_large_public_model_is_found(name: str) -> None:
    with torch.device("meta"):
        state = LARGE[name].make().state_dict()
    assert (LARGE[name].architecture, LARGE[name].how) in [
        (match.target.architecture, match.how) for match in found(state).candidates
    ]


def test_padded_shortcuts_are_read_in_both_ways() -> None:
    for last in (False, True):
        theirs = public.shaken(public.akamaster(20, last=last))
        first, second = found(theirs.state_dict()).candidates
        assert (first.zeros_last, second.zeros_last) == (False, True)
        apart = [difference(load(match, theirs.state_dict()), theirs) for match in (first, second)]
        assert apart[last] <= TOLERANCE and apart[not last] > 100 * TOLERANCE


def test_projected_shortcuts_are_read_in_one_way() -> None:
    assert len(found(public.projected((3, 3, 3), 16).state_dict()).candidates) == 1
