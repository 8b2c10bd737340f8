"""NegGrad climbs, its guards hold, and without them it destroys the model."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import neggrad
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.problem import Problem

CAUTIOUS: dict[str, Any] = {
    "lr": 0.003,
    "epochs": 60,
    "batch": 32,
    "stops": True,
    "stop_accuracy": 0.1,
    "most": 4.0,
    "clip": 1.0,
}


class Logged(NullTracker):
    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def log(self, **scalars: float) -> None:
        self.steps.append(scalars)


def _forgotten(kind: str = "classes", **knobs: Any) -> tuple[Problem, Logged]:
    layout, problem = tiny_problem(tiny_spec("neggrad", kind=kind, **knobs))
    track = Logged()
    layout.method.forget(problem, layout.params, track)
    return problem, track


def _kept_accuracy(problem: Problem) -> float:
    """On the training images that were not to be forgotten; the method itself is not handed them."""
    pool = problem.forget
    rest = torch.tensor(sorted(set(range(400)) - set(pool.rows.tolist())))
    return accuracy(problem.model, pool.images[rest].permute(0, 3, 1, 2).float() / 255, pool.labels[rest])


def test_one_step_is_uphill_by_the_rate() -> None:
    """theta + lr * grad CE, computed by hand on the first batch (no guard, float32 against bfloat16)."""
    guards = {"stops": False, "most": 0, "clip": 0, "frozen_norm": True, "augment": False}
    layout, problem = tiny_problem(tiny_spec("neggrad", lr=0.1, momentum=0, epochs=1, batch=128, **guards))
    pictures, labels = problem.forget.tensors()
    assert len(labels) <= 128, "one batch"
    net = problem.model.eval()
    before = net.get_parameter("head.weight").detach().clone()
    (slope,) = torch.autograd.grad(F.cross_entropy(net(pictures), labels), net.get_parameter("head.weight"))
    layout.method.forget(problem, layout.params, NullTracker())
    moved = net.get_parameter("head.weight").detach() - before
    assert torch.dist(moved, 0.1 * slope) < 0.03 * torch.linalg.vector_norm(moved)


def test_it_stops_where_enough_is_forgotten_and_not_before() -> None:
    problem, track = _forgotten(**CAUTIOUS)
    asked = [step["forget_accuracy"] for step in track.steps if "forget_accuracy" in step]
    assert asked[-1] <= 0.1 < min(asked[:-1])
    assert accuracy(problem.model, *problem.forget.tensors()) == pytest.approx(asked[-1]), "all of them, in eval mode"
    losses = [step for step in track.steps if "forget_loss" in step]
    assert len(losses) == len(asked) < 60 * problem.forget.num_batches(32)


def test_without_the_stop_rule_it_makes_all_its_epochs() -> None:
    _, track = _forgotten(lr=1e-4, epochs=2, batch=16, stops=False)
    assert len(track.steps) == 2 * 7


def test_unbounded_wrecks_the_model_and_the_guarded_one_does_not() -> None:
    wild = neggrad.METHOD.presets["unbounded"].params.model_dump() | {"lr": 0.05, "epochs": 20, "batch": 16}
    wrecked, _ = _forgotten("classes", **wild)
    guarded, _ = _forgotten("classes", **CAUTIOUS | {"stop_accuracy": 0.3})
    before = _kept_accuracy(tiny_problem(tiny_spec("neggrad"))[1])
    assert before > 0.8
    assert _kept_accuracy(wrecked) < 0.5
    assert _kept_accuracy(guarded) > before - 0.15
    assert accuracy(guarded.model, *guarded.forget.tensors()) <= 0.3


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_where_asked(frozen: bool) -> None:
    problem, _ = _forgotten(frozen_norm=frozen, epochs=1)
    pairs = zip(problem.model.named_buffers(), problem.original_model.buffers(), strict=True)
    moved = [name for (name, after), before in pairs if not torch.equal(after, before)]
    assert bool(moved) is not frozen


def test_images_that_are_wrong_enough_are_left_alone() -> None:
    """With the bound at their smallest error nothing is driven, so no weight moves."""
    layout, problem = tiny_problem(tiny_spec("neggrad", kind="images", stops=False, weight_decay=0, most=0.1, epochs=1))
    with torch.no_grad():
        problem.model.get_parameter("head.weight").zero_()
        problem.model.get_parameter("head.bias").zero_()  # ln 4 nats for each image, above the bound of 0.1.
    before = [weight.detach().clone() for weight in problem.model.parameters()]
    layout.method.forget(problem, layout.params, NullTracker())
    assert all(torch.equal(old, new) for old, new in zip(before, problem.model.parameters(), strict=True))
