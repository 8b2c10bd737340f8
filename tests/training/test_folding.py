"""A folded model gives the logits of the model itself, or the model itself is evaluated."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.training import evaluate, folding
from unlearn_core.training.folding import folded
from unlearn_core.training.seeding import seeded

IMAGES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), np.uint8))
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


Order = Callable[[nn.Module, nn.Module, Tensor], Tensor]
"""What a model does with its convolution, its batch norm and images."""


class Custom(nn.Module):
    """Passes images through a convolution and a batch norm in some order."""

    def __init__(self, order: Order, norm: nn.Module, *, bias: bool = True) -> None:
        super().__init__()
        self.order, self.conv, self.norm = order, nn.Conv2d(3, 3, 3, padding=1, bias=bias), norm

    def forward(self, x: Tensor) -> Tensor:
        return self.order(self.conv, self.norm, x).mean((2, 3))


class ScaledNorm(nn.BatchNorm2d):
    """A batch norm that does more than its base class."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name in torch.nn)
        return 2 * super().forward(input)


def trained(make: Callable[[], nn.Module]) -> nn.Module:
    """A model in eval mode whose batch norms have statistics and scales as after training."""
    with seeded(0, "probes"), torch.no_grad():
        model = make()
        for module in model.modules():
            if isinstance(module, NORMS) and module.running_mean is not None and module.running_var is not None:
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                for own in module.parameters():
                    own.uniform_(0.5, 1.5)
    return model.eval()


def num_norms(model: nn.Module) -> int:
    return sum(isinstance(module, NORMS) for module in model.modules())


@pytest.mark.parametrize(("name", "left"), [("resnet8", 0), ("resnet20_plain", 0), ("mobilenet_v2", 0)])
def test_logits_of_a_folded_model_differ_by_rounding_only(name: str, left: int) -> None:
    model = trained(lambda: architectures.build(name, 10, 32, Normalize((0.5,) * 3, (0.25,) * 3)))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    own = folded(model, IMAGES)
    assert (num_norms(own), own.training) == (left, False) and num_norms(model) > 0
    plain = evaluate.logits(model, IMAGES)
    assert 0 < np.abs(folding.logits(model, IMAGES) - plain).max() <= folding.MAX_DIFFERENCE
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for each in (model, own) for module in each.modules())


def usual(conv: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    return norm(conv(x))


NOT_FOLDED: dict[str, tuple[Order, Callable[[], nn.Module]]] = {
    "no norm": (lambda conv, norm, x: conv(x), lambda: nn.Identity()),
    "norm first": (lambda conv, norm, x: conv(norm(x)), lambda: nn.BatchNorm2d(3)),
    "convolution called twice": (lambda conv, norm, x: norm(conv(conv(x))), lambda: nn.BatchNorm2d(3)),
    "norm called twice": (lambda conv, norm, x: norm(norm(conv(x))), lambda: nn.BatchNorm2d(3)),
    "output used twice": (lambda conv, norm, x: norm(y := conv(x)) + y, lambda: nn.BatchNorm2d(3)),
    "another norm": (usual, lambda: ScaledNorm(3)),
    "no statistics": (usual, lambda: nn.BatchNorm2d(3, track_running_stats=False)),
    "large logits": (lambda conv, norm, x: 1e4 * norm(conv(x)), lambda: nn.BatchNorm2d(3)),
    "not finite": (lambda conv, norm, x: norm(conv(x)) / 0, lambda: nn.BatchNorm2d(3)),
}


@pytest.mark.parametrize(("order", "norm"), NOT_FOLDED.values(), ids=NOT_FOLDED)
def test_a_model_that_cannot_be_folded_is_evaluated_as_it_is(order: Order, norm: Callable[[], nn.Module]) -> None:
    model = trained(lambda: Custom(order, norm()))
    assert folded(model, IMAGES) is model
    assert np.array_equal(folding.logits(model, IMAGES), evaluate.logits(model, IMAGES), equal_nan=True)


def test_a_norm_without_weights_after_a_convolution_without_bias_is_folded() -> None:
    model = trained(lambda: Custom(usual, nn.BatchNorm2d(3, affine=False), bias=False))
    assert num_norms(folded(model, IMAGES)) == 0


def test_fewer_images_than_are_checked_are_enough() -> None:
    model = trained(lambda: Custom(usual, nn.BatchNorm2d(3)))
    assert folding.logits(model, IMAGES[:1]).shape == (1, 3)


def test_large_images_are_checked_in_a_batch_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "BATCH_SIZE", 3)
    monkeypatch.setattr(evaluate, "FULL_BATCH_SIDE", 32)
    seen: list[int] = []

    def noting(conv: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        seen.append(len(x))
        return norm(conv(x))

    model = trained(lambda: Custom(noting, nn.BatchNorm2d(3)))
    assert num_norms(folded(model, IMAGES)) == 0
    assert seen == [3, 3]
