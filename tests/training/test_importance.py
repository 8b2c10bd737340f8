"""Importance is what a loop over single images gives, lies in [0, 1], and holds weights where they were."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.training import importance
from unlearn_core.training.importance import (
    images_per_chunk,
    min_max_scaled,
    output_sensitivity,
    per_sample_gradients,
    weighted_l2,
)


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 36, 5)).double()


def test_sensitivity_is_the_mean_of_single_images_slopes(monkeypatch: pytest.MonkeyPatch) -> None:
    net, pictures = _net(), torch.rand(11, 3, 8, 8, dtype=torch.double)
    net(pictures)  # Running statistics that differ from the batch's own.
    monkeypatch.setattr(importance, "MAX_IMAGES_PER_CHUNK", 4)  # The last chunk is a short one.
    found = output_sensitivity(net, pictures)
    assert net.training
    net.eval()
    for name, weight in net.named_parameters():
        slopes = [torch.autograd.grad(net(picture[None]).norm(), weight)[0].abs() for picture in pictures]
        assert torch.allclose(found[name], torch.stack(slopes).mean(0), rtol=1e-9, atol=1e-12), name


def test_it_is_not_the_slope_of_the_mean() -> None:
    """As it would be, were opposite images to cancel out before their size is taken."""
    net = nn.Linear(1, 2, bias=False).double()
    pictures = torch.tensor([[1.0], [-1.0]], dtype=torch.double)
    slope = torch.autograd.grad(net(pictures).norm(), net.weight)[0].abs()
    one = torch.autograd.grad(net(pictures[:1]).norm(), net.weight)[0].abs()
    gradients = per_sample_gradients(net, lambda logits, _: logits.norm())(pictures, torch.zeros(2, dtype=torch.long))
    assert torch.allclose(gradients["weight"].abs().mean(0), one)
    assert not torch.allclose(slope, one)


def test_it_is_offered_for_counting_chunk_by_chunk() -> None:
    problem = tiny_problem(tiny_spec("finetune"))[1]
    pictures, seen = problem.retain.tensors()[0][:70], []
    output_sensitivity(
        problem.original_model, pictures, progress=lambda items: (seen.append(len(item[0])) or item for item in items)
    )
    assert seen == [32, 32, 6] and images_per_chunk(problem.original_model) == 32
    assert images_per_chunk(nn.Linear(10_000, 10_000)) == 1


def test_stretched_importance_lies_between_0_and_1_and_a_constant_is_no_nan() -> None:
    problem = tiny_problem(tiny_spec("finetune"))[1]
    omega = min_max_scaled(output_sensitivity(problem.original_model, problem.retain.tensors()[0][:40]))
    assert set(omega) == {name for name, _ in problem.model.named_parameters()}
    for values in omega.values():
        assert values.min() == 0 and values.max() == pytest.approx(1)
    flat = min_max_scaled({"same": torch.full((4,), 3.0), "none": torch.zeros(2), "one": torch.ones(1)})
    assert all(torch.equal(values, torch.zeros_like(values)) for values in flat.values())


def test_the_weighted_distance_is_0_at_the_start_and_pulls_each_weight_by_its_strength() -> None:
    anchor = _net()
    net = deepcopy(anchor)
    hold = {name: torch.rand_like(weight) for name, weight in net.named_parameters()}
    assert weighted_l2(net, anchor, hold).item() == 0.0
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.1 * torch.randn_like(weight)
    value = weighted_l2(net, anchor, hold)
    value.backward()
    by_hand = 0.0
    for (name, weight), start in zip(net.named_parameters(), anchor.parameters(), strict=True):
        by_hand += 0.5 * (hold[name] * (weight - start) ** 2).sum().item()
        assert weight.grad is not None and start.grad is None
        assert torch.allclose(weight.grad, hold[name] * (weight - start))
    assert value.item() == pytest.approx(by_hand)


def test_the_gradient_of_the_weighted_distance_is_right() -> None:
    net, anchor = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    hold = {name: torch.rand_like(weight) for name, weight in net.named_parameters()}

    def value(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(
            _WeightedDistance(net, anchor, hold), {"net.weight": weight, "net.bias": bias}, ()
        )

    assert torch.autograd.gradcheck(value, (net.weight, net.bias))


class _WeightedDistance(nn.Module):
    """The weighted distance as a module, so that its model's weights can be replaced from outside."""

    def __init__(self, net: nn.Module, anchor: nn.Module, hold: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.net, self.hold, self.away = net, hold, [anchor]

    def forward(self) -> torch.Tensor:
        return weighted_l2(self.net, self.away[0], self.hold)
