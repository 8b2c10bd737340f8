"""Losses against torch's own, by hand and at double precision."""

import pytest
import torch
from torch.nn import functional as F

from unlearn_core.training.losses import capped_cross_entropy, distillation, wrong_labels
from unlearn_core.training.seeding import random_generator


def test_distillation_is_torchs_divergence() -> None:
    student, teacher = torch.randn(2, 5, 4, generator=random_generator(0, "test"))
    by_torch = F.kl_div((student / 3).log_softmax(1), (teacher / 3).softmax(1), reduction="sum") / 5 * 9
    assert distillation(student, teacher, 3.0).item() == pytest.approx(by_torch.item(), rel=1e-5)
    assert distillation(teacher, teacher).item() == pytest.approx(0, abs=1e-6)


def test_distillation_teaches_the_student_only() -> None:
    student, teacher = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    distillation(student, teacher).backward()
    assert student.grad is not None and teacher.grad is None
    assert torch.autograd.gradcheck(lambda logits: distillation(logits, teacher.detach(), 2.0), student)


def test_wrongness_is_cross_entropy_up_to_its_bound() -> None:
    logits = torch.tensor([[4.0, 0.0], [0.0, 4.0]], requires_grad=True)
    labels = torch.tensor([0, 0])
    assert capped_cross_entropy(logits, labels).item() == pytest.approx(F.cross_entropy(logits, labels).item())
    capped_cross_entropy(logits, labels, cap=1.0).backward()
    assert logits.grad is not None
    assert logits.grad[0].abs().sum() > 0
    assert logits.grad[1].abs().sum() == 0, "this one is wrong enough"


def test_wrong_labels_are_never_the_own_and_spread_evenly() -> None:
    labels = torch.arange(4).repeat(3000)
    drawn = wrong_labels(labels, torch.tensor([0, 1, 3]), random_generator(1, "labels"))
    assert not (drawn == labels).any()
    assert set(drawn.tolist()) == {0, 1, 3}
    of_two = drawn[labels == 2].bincount(minlength=4) / 3000
    assert of_two.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=0.03)


def test_no_other_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="no other class"):
        wrong_labels(torch.tensor([1]), torch.tensor([1]), random_generator(0, "labels"))
