"""Plain updates of methods, written from their papers, and what a method makes of the tiny classifier beside them.

All is computed in float64, so that only the formulas can differ.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from copy import deepcopy
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from tests.methods.small_problem import tiny_problem
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.training.problem import Problem


def double_problem(spec: UnlearnSpec) -> tuple[Problem, Any]:
    """A problem on the tiny classifier in float64, and the hyperparameters of its method."""
    layout, problem = tiny_problem(spec)
    problem.model.double()
    problem.original_model.double()
    return problem, layout.params


def by_the_method(spec: UnlearnSpec) -> nn.Module:
    """What the method makes of the tiny classifier."""
    layout, problem = tiny_problem(spec)
    problem.model.double()
    problem.original_model.double()
    with patch.object(torch, "autocast", lambda *given, **named: nullcontext()):
        layout.method.forget(problem, layout.params, NullTracker())
    return problem.model


def by_plain_sgd(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, ...]],
    loss: Callable[..., Tensor],
    rates: Callable[[int], float],
    *,
    momentum: float = 0.0,
    decay: float = 0.0,
) -> nn.Module:
    """v <- momentum v + gradient + decay theta; theta <- theta - rate v, for each batch; in train mode, on a copy."""
    model = deepcopy(model).requires_grad_().train()
    speed = {name: torch.zeros_like(weight) for name, weight in model.named_parameters()}
    for step, batch in enumerate(batches):
        weights = dict(model.named_parameters())
        slopes = torch.autograd.grad(loss(model, *batch), list(weights.values()))
        with torch.no_grad():
            for (name, weight), slope in zip(weights.items(), slopes, strict=True):
                speed[name] = momentum * speed[name] + slope + decay * weight
                weight -= rates(step) * speed[name]
    return model


def assert_same_update(found: nn.Module, wanted: nn.Module, start: nn.Module) -> None:
    """Both went away from the start, and as far and in the same direction, within 1e-6 of the way."""
    before, end = start.state_dict(), wanted.state_dict()
    for name, tensor in found.state_dict().items():
        if tensor.is_floating_point():
            way = (end[name] - before[name]).norm()
            assert (tensor - end[name]).norm() <= 1e-6 * way, name
    assert any((end[name] - before[name]).norm() > 1e-3 for name, _ in start.named_parameters())
