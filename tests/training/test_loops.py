"""The training loop of the methods: what it minimises, logs and calls, and when it ends."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.errors import CancelledError, DivergedError
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.training.loops import fit
from unlearn_core.training.optim import optimizer_step
from unlearn_core.training.problem import Problem
from unlearn_core.training.weights import checksum


class Remembering(NullTracker):
    """Remembers what is logged, and cancels after so many steps."""

    def __init__(self, limit: int | None = None) -> None:
        self.logged: list[dict[str, float]] = []
        self.steps, self.limit = 0, limit

    def iterate(self, items: Iterable) -> Iterator:
        for item in items:
            if self.steps == self.limit:
                raise CancelledError("enough")
            self.steps += 1
            yield item

    def log(self, **scalars: float) -> None:
        self.logged.append(scalars)


@pytest.fixture
def problem() -> Problem:
    return tiny_problem(tiny_spec("finetune"))[1]


def batches(problem: Problem, steps: int = 3) -> Iterator[tuple[Tensor, Tensor]]:
    return islice(problem.epochs(problem.retain, count(), 32, augment=False), steps)


def adam(problem: Problem, lr: float = 0.01) -> torch.optim.Optimizer:
    return torch.optim.Adam(problem.model.parameters(), lr)


def test_by_default_it_minimises_cross_entropy_and_logs_it(problem: Problem) -> None:
    other = tiny_problem(tiny_spec("finetune"))[1]
    for one in (problem, other):
        one.model.train()
    tracker, expected = Remembering(), []
    fit(problem, batches(problem), adam(problem), tracker)
    optimizer = adam(other)
    for images, labels in batches(other):
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(other.model(images), labels)
        optimizer_step(optimizer, loss)
        expected.append({"loss": loss.item()})
    assert checksum(problem.model) == checksum(other.model) != checksum(problem.original_model)
    assert tracker.logged == expected


def test_a_loss_gets_the_whole_batch_and_names_what_is_logged(problem: Problem) -> None:
    def loss(images: Tensor, labels: Tensor, weight: float) -> tuple[Tensor, dict[str, float]]:
        assert torch.is_autocast_enabled("cpu")
        error = F.cross_entropy(problem.model(images), labels)
        return weight * error, {"error": error.item(), "weight": weight}

    tracker = Remembering()
    triples = ((*batch, weight) for batch, weight in zip(batches(problem), (1.0, 0.5, 0.0), strict=True))
    fit(problem, triples, adam(problem), tracker, loss=loss)
    assert [logged["weight"] for logged in tracker.logged] == [1.0, 0.5, 0.0]
    assert all(logged["error"] > 0 for logged in tracker.logged)


def test_each_step_has_the_learning_rate_of_the_schedule(problem: Problem) -> None:
    optimizer, rates = adam(problem), []
    fit(
        problem,
        batches(problem),
        optimizer,
        NullTracker(),
        lr_schedule=[0.3, 0.2, 0.1].__getitem__,
        after_step=lambda: rates.append(optimizer.param_groups[0]["lr"]),
    )
    assert rates == [0.3, 0.2, 0.1]


@pytest.mark.parametrize(("answer", "steps"), [(lambda: True, 1), (lambda: False, 3), (lambda: None, 3)])
def test_it_ends_when_after_step_says_so(problem: Problem, answer: Callable[[], Any], steps: int) -> None:
    tracker = Remembering()
    fit(problem, batches(problem), adam(problem), tracker, after_step=answer)
    assert len(tracker.logged) == tracker.steps == steps


def test_gradients_are_clipped_where_asked(problem: Problem) -> None:
    def largest() -> float:
        pairs = zip(problem.model.parameters(), problem.original_model.parameters(), strict=True)
        return float(torch.cat([(one.detach() - other).flatten() for one, other in pairs]).norm())

    optimizer = torch.optim.SGD(problem.model.parameters(), 1.0)
    fit(problem, batches(problem, 1), optimizer, NullTracker(), grad_clip=1e-3)
    assert largest() == pytest.approx(1e-3, rel=0.05)


def test_a_loss_that_is_no_number_ends_it_before_the_step(problem: Problem) -> None:
    tracker, before = Remembering(), checksum(problem.model.eval())
    with pytest.raises(DivergedError):
        fit(problem, batches(problem), adam(problem), tracker, loss=lambda images, _: problem.model(images).sum() / 0)
    assert checksum(problem.model) == before and not tracker.logged


def test_it_can_be_cancelled_between_steps(problem: Problem) -> None:
    tracker = Remembering(limit=2)
    with pytest.raises(CancelledError):
        fit(problem, batches(problem), adam(problem), tracker)
    assert len(tracker.logged) == 2


@pytest.mark.parametrize("training", [True, False])
def test_train_mode_is_left_to_the_caller(problem: Problem, training: bool) -> None:
    problem.model.train(training)
    fit(problem, batches(problem), adam(problem), NullTracker())
    assert all(module.training == training for module in problem.model.modules())
