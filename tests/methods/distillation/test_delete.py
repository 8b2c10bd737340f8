"""DELETE: who is masked, the loss by hand, and the whole update beside a plain one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.methods.plain_update import assert_same_update, by_plain_sgd, by_the_method, double_problem
from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.methods import delete
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import distillation


def spec_of(*classes: int, **params: Any) -> UnlearnSpec:
    spec = tiny_spec("delete", **params)
    forget = ForgetClasses(classes=classes)
    return spec.model_copy(update={"request": spec.request.model_copy(update={"forget": forget})})


def test_the_target_is_the_original_softmax_without_the_class() -> None:
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    retained = torch.tensor([0, 2, 3])
    target = delete.masked(logits, retained).softmax(1)
    assert torch.equal(target[:, 1], torch.zeros(6))
    own = logits.softmax(1)
    torch.testing.assert_close(target[:, retained], own[:, retained] / (1 - own[:, 1:2]))


def test_the_loss_is_the_divergence_from_the_target_and_finite() -> None:
    make = torch.Generator().manual_seed(2)
    student, logits = torch.randn(2, 5, 4, dtype=torch.float64, generator=make)
    teacher = delete.masked(logits, torch.tensor([0, 3])).double()
    target = teacher.softmax(1)[:, [0, 3]]
    by_hand = (target * (target.log() - student.log_softmax(1)[:, [0, 3]])).sum(1).mean()
    assert distillation(student, teacher).item() == pytest.approx(by_hand.item(), rel=1e-6)


def plain_loss(original: nn.Module, classes: list[int]) -> Callable[..., Tensor]:
    """Section 4 of the paper: KL of the model from the original's softmax, renormalised over the other classes."""

    def loss(model: nn.Module, images: Tensor, _: Tensor) -> Tensor:
        with torch.no_grad():
            known = original(images).softmax(1)
        known[:, classes] = 0
        known = known / known.sum(1, keepdim=True)
        log_ratio = torch.where(known > 0, known.clamp_min(1e-300).log() - model(images).log_softmax(1), 0)
        return (known * log_ratio).sum(1).mean()

    return loss


@pytest.mark.parametrize("classes", [(1,), (0, 2)])
@pytest.mark.parametrize("falls", [True, False])
def test_the_update_beside_a_plain_one(classes: tuple[int, ...], falls: bool) -> None:
    spec = spec_of(*classes, lr=0.01, epochs=2, batch=16, augment=False, falls=falls)
    problem, params = double_problem(spec)
    batches = list(problem.epochs(problem.forget, range(2), 16, augment=False))
    plain = by_plain_sgd(
        problem.model,
        batches,
        plain_loss(problem.original_model, list(classes)),
        lambda step: params.lr * (1 - step / len(batches) if falls else 1),
        momentum=0.9,
    )
    assert_same_update(by_the_method(spec), plain, problem.original_model)


def test_it_forgets_and_names_no_forgotten_class_for_another() -> None:
    layout, problem = tiny_problem(spec_of(0, 2, lr=0.02, epochs=20, batch=16))
    layout.method.forget(problem, layout.params, NullTracker())
    images, labels = problem.forget.tensors()
    assert accuracy(problem.model, images, labels) < 0.1
    with torch.no_grad():
        named = problem.model.eval()(images).argmax(1)
    assert (~torch.isin(named, torch.tensor([0, 2]))).float().mean() > 0.9


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_where_asked(frozen: bool) -> None:
    layout, problem = tiny_problem(tiny_spec("delete", frozen_norm=frozen))
    layout.method.forget(problem, layout.params, NullTracker())
    pairs = zip(problem.model.buffers(), problem.original_model.buffers(), strict=True)
    assert all(torch.equal(after, before) for after, before in pairs) is frozen
