"""Each algorithm against its formula by hand, and layers that have no map."""

from typing import cast, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.domain.cam_algorithms import CAM_ALGORITHMS
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import CamAlgorithm
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.class_activation import explain, similar_classes
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.testing.tiny.models.architectures.tiny import Tiny

TARGETS = [2, 0, 2, 3, 1]


def behind(tiny: Tiny, images: Tensor, *, at: str) -> tuple[Tensor, Tensor]:
    """What a layer returns for images, and the gradient of the targets' logits there."""
    x = tiny.stem(tiny.normalise(images.permute(0, 3, 1, 2) / 255))
    if at == "stem":
        x = x.detach().requires_grad_()
    body = tiny.body(x)
    logits = tiny.head(F.relu(body + tiny.shortcut(x)).mean((2, 3)))
    place = {"stem": x, "body": body}[at]
    (slope,) = torch.autograd.grad(logits[range(len(TARGETS)), TARGETS].sum(), place)
    return place.detach(), slope


def by_hand(algorithm: str, seen: Tensor, slope: Tensor) -> np.ndarray:
    if algorithm == "gradcam":
        raw = (slope.mean((2, 3), keepdim=True) * seen).sum(1)
    elif algorithm == "layercam":
        raw = (F.relu(slope) * seen).sum(1)
    elif algorithm == "hirescam":
        raw = (slope * seen).sum(1)
    else:
        share = slope**2 / (2 * slope**2 + seen.sum((2, 3), keepdim=True) * slope**3 + 1e-6)
        share = torch.where(slope != 0, share, 0)
        raw = ((F.relu(slope) * share).sum((2, 3), keepdim=True) * seen).sum(1)
    return F.relu(raw).numpy()


@pytest.mark.parametrize("layer", ["body", "stem"])
@pytest.mark.parametrize("algorithm", ["gradcam", "gradcam++", "layercam", "hirescam"])
def test_maps_are_those_of_the_formula(algorithm: CamAlgorithm, layer: str, whole: ProbeContext) -> None:
    images = whole.images[:5]
    maps = explain({"before": whole.models["before"]}, images, TARGETS, layer, algorithm=algorithm)["before"]
    expected = by_hand(algorithm, *behind(cast(Tiny, whole.models["before"]), images, at=layer))
    assert maps.shape == expected.shape
    assert np.allclose(maps, expected, rtol=1e-3, atol=1e-5)
    assert expected.max() > 1e-3


def test_eigencam_is_the_first_component_turned_towards_activation(whole: ProbeContext) -> None:
    images, nets = whole.images[:5], {"before": whole.models["before"]}
    maps = explain(nets, images, TARGETS, "body", algorithm="eigencam")["before"]
    seen, _ = behind(cast(Tiny, whole.models["before"]), images, at="body")
    for found, own in zip(maps, seen.flatten(2).transpose(1, 2).double(), strict=True):
        centred = own - own.mean(0)
        component = centred @ torch.linalg.eigh(centred.T @ centred)[1][:, -1]
        if (component * (own.mean(1) - own.mean())).sum() < 0:
            component = -component
        assert np.allclose(found.ravel(), component.clamp(min=0), atol=1e-3)
        assert found.max() > 0
    others = explain(nets, images, [0] * 5, "body", algorithm="eigencam")["before"]
    assert np.array_equal(others, maps), "it asks about no class"


def test_scorecam_weights_each_channel_by_what_the_model_makes_of_the_image_behind_it(whole: ProbeContext) -> None:
    tiny, images = cast(Tiny, whole.models["before"]), whole.images[:2]
    maps = explain({"before": tiny}, images, TARGETS[:2], "body", algorithm="scorecam")["before"]
    seen, _ = behind(tiny, whole.images[:5], at="body")
    for found, image, own, target in zip(maps, images, seen, TARGETS, strict=False):
        large = F.interpolate(own[None], image.shape[:2], mode="bilinear", align_corners=True)[0]
        low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
        masked = image.permute(2, 0, 1)[None] / 255 * ((large - low) / (high - low + 1e-8))[:, None]
        with torch.no_grad():
            weights = tiny(masked)[:, target].softmax(0)
        expected = F.relu((weights[:, None, None] * own).sum(0)).numpy()
        assert expected.max() > 0 and np.allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_scorecam_refuses_what_would_take_minutes(whole: ProbeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_activation, "MAX_SCORED", 1000)
    nets = {"before": whole.models["before"]}
    with pytest.raises(InvalidRequestError, match=r"channels of body take too long.*another algorithm"):
        explain(nets, whole.images[:1], [0], "body", algorithm="scorecam")
    assert explain(nets, whole.images[:1], [0], "body")["before"].shape == (1, 4, 4)


def test_finercam_explains_the_lead_over_similar_classes(whole: ProbeContext) -> None:
    net, images, target, others = whole.models["before"], whole.images[:1], 2, [0, 3]
    (found,) = explain({"net": net}, images, [target], "body", algorithm="finercam", compared=[others])["net"]
    body = cast(Tiny, net)
    x = body.stem(body.normalise(images.permute(0, 3, 1, 2) / 255))
    seen = body.body(x).detach().requires_grad_()
    logits = body.head(F.relu(seen + body.shortcut(x)).mean((2, 3)))[0]
    share = logits.softmax(0)[others]
    (slope,) = torch.autograd.grad((share * (logits[target] - logits[others])).sum() / share.sum(), seen)
    expected = F.relu((slope.mean((2, 3), keepdim=True) * seen).sum(1))[0].detach().numpy()
    assert expected.max() > 0 and np.allclose(found, expected, rtol=1e-3, atol=1e-5)
    (plain,) = explain({"net": net}, images, [target], "body")["net"]
    assert not np.allclose(found, plain, rtol=1e-3)


def test_similar_classes_are_those_with_the_closest_logits() -> None:
    logits = np.array([1.0, 5.0, 4.0, -3.0, 4.5, 9.0])
    assert similar_classes(logits, 1) == [4, 2, 0]
    assert similar_classes(logits[:2], 1) == [0], "a model of two classes has one other"


def test_every_algorithm_has_a_card() -> None:
    assert set(CAM_ALGORITHMS) == set(get_args(CamAlgorithm))
    assert all(card.difference.endswith(".") and card.url.startswith("https://") for card in CAM_ALGORITHMS.values())


def test_a_layer_without_height_and_width_is_refused(whole: ProbeContext) -> None:
    with pytest.raises(InvalidRequestError, match=r"head gives no map.*earlier layer"):
        explain({"before": whole.models["before"]}, whole.images[:1], [0], "head")


class Tokens(nn.Module):
    """A model whose layer gives tokens, channels last or channels first, of the same image."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.cut = kind, nn.Conv2d(3, 6, 4, 4)
        self.lay, self.mix, self.head = nn.Identity(), nn.Identity(), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cut(x)
        if self.kind == "channels first":
            return self.head((self.lay(x) ** 2).mean((2, 3)))
        if self.kind == "channels last":
            return self.head((self.lay(x.permute(0, 2, 3, 1)) ** 2).mean((1, 2)))
        tokens = self.mix(x.flatten(2).transpose(1, 2))
        first = torch.full((len(x), 2, 6), 7.0)
        return self.head((self.lay(torch.cat([first, tokens], 1))[:, 2:] ** 2).mean(1))


@pytest.mark.parametrize("algorithm", ["gradcam", "hirescam", "scorecam", "eigencam"])
def test_tokens_are_laid_out_as_the_image_they_were_cut_from(algorithm: CamAlgorithm, whole: ProbeContext) -> None:
    made = {}
    for kind in ("channels first", "channels last", "tokens"):
        torch.manual_seed(1)
        made[kind] = Tokens(kind).eval()
    found = {
        kind: explain({"net": net}, whole.images[:5], TARGETS, "lay", algorithm=algorithm, prefix_tokens=2)["net"]
        for kind, net in made.items()
    }
    assert found["tokens"].shape == (5, 4, 4) and found["tokens"].std() > 0
    assert np.allclose(found["tokens"], found["channels first"], rtol=1e-4, atol=1e-6)
    assert np.allclose(found["channels last"], found["channels first"], rtol=1e-4, atol=1e-6)
    nets = {"net": made["tokens"]}
    early = explain(nets, whole.images[:5], TARGETS, "mix", algorithm=algorithm, prefix_tokens=2)["net"]
    assert np.allclose(early, found["tokens"], rtol=1e-4, atol=1e-6), "where no token is put in front yet"


def test_tokens_of_no_transformer_are_no_places(whole: ProbeContext) -> None:
    with pytest.raises(InvalidRequestError, match="lay gives no map"):
        explain({"net": Tokens("tokens").eval()}, whole.images[:1], [0], "lay")


def test_what_is_done_in_place_behind_a_layer_does_not_spoil_its_map(whole: ProbeContext) -> None:
    class InPlace(nn.Module):
        def __init__(self, *, inplace: bool) -> None:
            super().__init__()
            self.seen, self.head, self.inplace = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 4), inplace

        def forward(self, x: Tensor) -> Tensor:
            return self.head(F.relu(self.seen(x), inplace=self.inplace).mean((2, 3)))

    maps = []
    for inplace in (False, True):
        torch.manual_seed(1)
        nets = {"net": InPlace(inplace=inplace).eval()}
        maps.append(explain(nets, whole.images[:5], TARGETS, "seen", algorithm="layercam")["net"])
    assert maps[0].max() > 0 and np.array_equal(*maps)
