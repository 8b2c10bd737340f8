"""The frozen part stays to the last bit, its statistics included; the rest is trained, on or anew."""

import pytest
import torch

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker

LAYERS = ("stem", "body", "shortcut", "head")


@pytest.mark.parametrize("mode", ["continue", "re-initialise"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_what_is_frozen_is_frozen_to_the_last_bit(mode: str, count: int) -> None:
    layout, problem = tiny_problem(tiny_spec("cfk", mode=mode, layers=count, epochs=1))
    layout.method.forget(problem, layout.params, NullTracker())
    trained = LAYERS[-count:]
    for name, before in problem.original_model.state_dict().items():
        now = problem.model.state_dict()[name]
        if name.split(".")[0] in trained:
            assert not now.equal(before), name
        else:
            assert now.equal(before), name
    assert all(weight.requires_grad for weight in problem.model.parameters())


@pytest.mark.parametrize("mode", ["continue", "re-initialise"])
def test_where_the_last_layers_begin(mode: str) -> None:
    """At the lowest rate the trained layers hardly move from where they began."""
    layout, problem = tiny_problem(tiny_spec("cfk", mode=mode, layers=2, epochs=1, lr=1e-5))
    start = problem.fresh_model() if mode == "re-initialise" else problem.original_model
    layout.method.forget(problem, layout.params, NullTracker())
    for name in ("shortcut.0.weight", "head.weight", "head.bias"):
        assert torch.allclose(problem.model.get_parameter(name), start.get_parameter(name), atol=1e-3)
