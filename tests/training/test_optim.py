"""One step, and what surrounds it."""

import pytest
import torch
from torch import nn

from unlearn_core.domain.errors import DivergedError
from unlearn_core.methods import finetune
from unlearn_core.training.optim import linear_schedule, optimizer_step, set_lr, sgd, train_mode


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
    assert [linear_schedule(0.4, 4)(step) for step in range(5)] == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0])


def test_the_rate_is_set_for_all_weights() -> None:
    groups = [{"params": [nn.Parameter(torch.zeros(1))]}, {"params": [nn.Parameter(torch.zeros(1))], "lr": 2.0}]
    optimiser = torch.optim.SGD(groups, 0.4)
    set_lr(optimiser, 0.1)
    assert [group["lr"] for group in optimiser.param_groups] == [0.1, 0.1]


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, True), (0.9, False), (0.0, True)])
def test_sgd_takes_its_hyperparameters_from_the_method(momentum: float, nesterov: bool) -> None:
    params = finetune.Hyperparameters(lr=0.03, momentum=momentum, weight_decay=0.002)
    group = sgd(nn.Linear(2, 2), params, nesterov=nesterov).param_groups[0]
    assert len(group["params"]) == 2
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.03, momentum, 0.002)
    assert group["nesterov"] == (nesterov and momentum > 0)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_norm_keeps_its_statistics(frozen: bool) -> None:
    conv, norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
    net = nn.Sequential(conv, norm)
    train_mode(net.eval(), freeze_batchnorm=frozen)
    net(torch.rand(8, 3, 4, 4))
    assert norm.running_mean is not None
    assert torch.equal(norm.running_mean, torch.zeros(4)) == frozen
    assert conv.training
