"""l1-sparse: the penalty falls epoch by epoch, covers every weight, and thins the model out."""

from typing import Any

import pytest
import torch

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.method import DataAccess
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import l1_sparse
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem


class Logged(NullTracker):
    def __init__(self) -> None:
        self.penalties: list[float] = []
        self.unused = 0.0

    def log(self, **scalars: float) -> None:
        if "penalty" in scalars:
            self.penalties.append(scalars["penalty"])
        self.unused = scalars.get("unused", self.unused)


def _forgotten(**knobs: Any) -> tuple[Problem, Logged]:
    layout, problem = tiny_problem(tiny_spec("l1_sparse", **knobs))
    track = Logged()
    layout.method.forget(problem, layout.params, track)
    return problem, track


def test_the_penalty_is_a_straight_line_and_then_none() -> None:
    knobs = l1_sparse.Hyperparameters(penalty=0.008, epochs=6, plain_epochs=2)
    assert [l1_sparse.penalty_at(epoch, knobs) for epoch in range(6)] == pytest.approx(
        [0.008, 0.006, 0.004, 0.002, 0, 0]
    )
    plain = l1_sparse.Hyperparameters(penalty=0.008, epochs=2, plain_epochs=5)
    assert [l1_sparse.penalty_at(epoch, plain) for epoch in range(2)] == [0, 0]
    _, track = _forgotten(penalty=0.001, epochs=3, plain_epochs=1, kept_per_class=50, batch=128)
    assert track.penalties == pytest.approx([0.001, 0.001, 0.0005, 0.0005, 0, 0])


def test_the_size_is_that_of_all_weights_and_its_slope_their_sign() -> None:
    _, problem = tiny_problem(tiny_spec("l1_sparse"))
    size = l1_sparse.l1_norm(problem.model)
    assert size.item() == pytest.approx(
        sum(weight.abs().sum().item() for weight in problem.model.parameters()), rel=1e-5
    )
    size.backward()
    for name, weight in problem.model.named_parameters():
        assert weight.grad is not None, f"{name} is penalised too"
        assert torch.equal(weight.grad, weight.detach().sign())
    double = torch.nn.Linear(3, 2).double()
    assert torch.autograd.gradcheck(lambda weight, bias: l1_sparse.l1_norm(double), tuple(double.parameters()))


def test_a_strong_penalty_thins_the_model_out() -> None:
    hard = {"lr": 0.05, "epochs": 6, "plain_epochs": 0, "falls": False, "batch": 32}
    thin, strong = _forgotten(penalty=0.01, **hard)
    plain, weak = _forgotten(penalty=1e-6, **hard)
    assert l1_sparse.l1_norm(thin.model) < 0.7 * l1_sparse.l1_norm(plain.model)
    assert strong.unused == pytest.approx(l1_sparse.unused_share(thin.model))
    assert strong.unused > 2 * weak.unused
    assert accuracy(thin.model, *thin.retain.tensors()) > 0.8


def test_no_forget_image_is_needed() -> None:
    assert l1_sparse.METHOD.needs(l1_sparse.Hyperparameters()) == DataAccess(
        forget=False, retain=True, validation=False
    )
    problem, _ = _forgotten(epochs=2)
    assert problem.forget_subset is None
