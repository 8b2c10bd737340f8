"""One step, and what surrounds it."""

import pytest
import torch
from torch import nn

from unlearn_core.domain.errors import DivergedError
from unlearn_core.training.optim import optimizer_step, set_linear_lr, train_mode


def test_a_step_goes_downhill_by_the_gradient() -> None:
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    optimizer_step(torch.optim.SGD([weight], 0.1), weight.square().sum() / 2)
    assert weight.tolist() == pytest.approx([2.7, 3.6])


def test_a_long_gradient_is_shortened() -> None:
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    optimizer_step(torch.optim.SGD([weight], 1.0), weight.square().sum() / 2, grad_clip=1.0)
    assert weight.tolist() == pytest.approx([2.4, 3.2], rel=1e-4)


def test_what_is_no_number_touches_no_weight() -> None:
    weight = nn.Parameter(torch.tensor([3.0]))
    with pytest.raises(DivergedError, match="Lower the learning rate"):
        optimizer_step(torch.optim.SGD([weight], 0.1), (weight * torch.inf).sum())
    assert weight.item() == 3.0


def test_the_rate_falls_to_zero_in_a_straight_line() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.4)
    rates = []
    for step in range(4):
        set_linear_lr(optimiser, 0.4, step=step, steps=4)
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.4, 0.3, 0.2, 0.1])


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_norm_keeps_its_statistics(frozen: bool) -> None:
    conv, norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
    net = nn.Sequential(conv, norm)
    train_mode(net.eval(), freeze_batchnorm=frozen)
    net(torch.rand(8, 3, 4, 4))
    assert norm.running_mean is not None
    assert torch.equal(norm.running_mean, torch.zeros(4)) == frozen
    assert conv.training
