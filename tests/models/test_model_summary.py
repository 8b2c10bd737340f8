"""The cost of a model before anything is computed: operations, and values that have to be moved."""

import pytest
from torch import nn

from unlearn_core.models.model_summary import ForwardCost, forward_cost


def on_meta(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers).to("meta")


def test_operations_and_values_are_those_of_one_image() -> None:
    model = on_meta(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8 * 8, 10))
    cost = forward_cost(model, 8)
    assert cost.operations == 2 * (4 * 8 * 8 * 3 * 9 + 4 * 8 * 8 * 10)
    assert cost.values == 3 * 4 * 8 * 8 + 10


def test_the_hooks_are_gone_afterwards() -> None:
    model = on_meta(nn.Conv2d(3, 4, 3))
    assert forward_cost(model, 8) == forward_cost(model, 8)
    assert not any(part._forward_hooks for part in model.modules())


@pytest.mark.parametrize(
    ("cost", "times"), [(ForwardCost(20, 30), 3), (ForwardCost(50, 30), 5), (ForwardCost(1, 1), 0.1)]
)
def test_what_takes_longer_counts(cost: ForwardCost, times: float) -> None:
    assert cost.relative_to(ForwardCost(10, 10)) == pytest.approx(times)
