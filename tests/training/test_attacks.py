"""Attacked images stay within their radius and within [0, 1], and mislead the more the longer one attacks."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from tests.methods.small_problem import tiny_problem, tiny_spec
from unlearn_core.training.attacks import fgsm, pgd_l2
from unlearn_core.training.evaluate import accuracy
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.seeding import random_generator

RADIUS = 1.5


@cache
def _attacked() -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """The tiny classifier, 60 of its training images, a wrong target for each, and noise to start from."""
    problem = tiny_problem(tiny_spec("finetune"))[1]
    pictures, labels = (part[:60] for part in problem.retain.tensors())
    targets = wrong_labels(labels, torch.arange(4), random_generator(0, "targets"))
    return problem.original_model, pictures, targets, torch.rand(pictures.shape, generator=random_generator(0, "start"))


def _pgd(steps: int, *, step: float = 0.1, radius: float = RADIUS) -> Tensor:
    net, pictures, targets, start = _attacked()
    return pgd_l2(net, pictures, targets, radius=radius, step=step, steps=steps, start=start)


@pytest.mark.parametrize("steps", [0, 1, 30])
@pytest.mark.parametrize("radius", [0.3, RADIUS, 6.0])
def test_pgd_stays_within_its_radius_and_within_the_pixel_range(steps: int, radius: float) -> None:
    made = _pgd(steps, radius=radius, step=1.0)
    assert made.min() >= 0 and made.max() <= 1
    assert (made - _attacked()[1]).flatten(1).norm(dim=1).max() <= radius + 1e-5


def test_pgd_starts_on_the_sphere_on_the_way_to_the_noise() -> None:
    _, pictures, _, start = _attacked()
    way = (_pgd(0) - pictures).flatten(1)
    assert (start - pictures).flatten(1).norm(dim=1).min() > RADIUS
    assert torch.allclose(way.norm(dim=1), torch.full((60,), RADIUS), atol=1e-5)
    assert torch.cosine_similarity(way, (start - pictures).flatten(1)).min() > 0.9999


def test_a_start_within_the_ball_is_taken_as_it_is() -> None:
    net, pictures, targets, start = _attacked()
    near = pictures + 0.01 * (start - pictures)
    assert torch.allclose(pgd_l2(net, pictures, targets, radius=4, step=0.1, steps=0, start=near), near, atol=1e-6)


def test_a_step_goes_downhill_by_its_length() -> None:
    net, pictures, targets, _ = _attacked()
    inside = 0.4 + 0.2 * pictures  # Far from black and white, so that no pixel is cut.
    made = pgd_l2(net, inside, targets, radius=4, step=0.05, steps=1, start=inside)
    seen = inside.clone().requires_grad_()
    nn.functional.cross_entropy(net(seen), targets, reduction="sum").backward()
    assert seen.grad is not None
    moved = (made - inside).flatten(1)
    assert torch.allclose(moved.norm(dim=1), torch.full((60,), 0.05), atol=1e-5)
    assert torch.cosine_similarity(moved, -seen.grad.flatten(1)).min() > 0.999


def test_the_attack_succeeds_more_often_the_longer_it_goes_on() -> None:
    net, _, targets, _ = _attacked()
    shares = [accuracy(net, _pgd(steps, radius=3.0), targets) for steps in (0, 20, 80)]
    assert shares[0] < shares[1] < shares[2] and shares[2] > 0.7


def test_a_batch_is_attacked_as_its_images_one_by_one() -> None:
    net, pictures, targets, start = _attacked()
    together = _pgd(8)
    for row in range(0, 60, 20):
        one = slice(row, row + 1)
        alone = pgd_l2(net, pictures[one], targets[one], radius=RADIUS, step=0.1, steps=8, start=start[one])
        assert torch.allclose(together[one], alone, atol=1e-4)


def test_every_step_is_offered_for_counting_and_can_be_refused() -> None:
    net, pictures, targets, start = _attacked()
    seen = []

    def over(items):
        for item in items:
            if len(seen) == 3:
                raise InterruptedError
            seen.append(len(item[0]))
            yield item

    with pytest.raises(InterruptedError):
        pgd_l2(net, pictures, targets, radius=1, step=0.1, steps=9, start=start, progress=over)
    assert seen == [60, 60, 60]


def test_attacks_leave_the_model_as_it_was() -> None:
    net = tiny_problem(tiny_spec("finetune"))[1].model.train()
    _, pictures, targets, start = _attacked()
    before = {name: values.clone() for name, values in net.state_dict().items()}
    pgd_l2(net, pictures, targets, radius=1, step=0.1, steps=2, start=start)
    fgsm(net, pictures, targets, radius=0.1)
    assert net.training and all(weight.grad is None for weight in net.parameters())
    assert all(torch.equal(values, before[name]) for name, values in net.state_dict().items())


def test_fgsm_moves_every_pixel_by_its_radius_and_misleads() -> None:
    net, pictures, _, _ = _attacked()
    labels = net(pictures).argmax(1)
    made = fgsm(net, pictures, labels, radius=0.1)
    assert made.min() >= 0 and made.max() <= 1
    free = (pictures > 0.1) & (pictures < 0.9)
    assert torch.allclose((made - pictures)[free].abs(), torch.full((int(free.sum()),), 0.1), atol=1e-6)
    assert accuracy(net, made, labels) < 0.7
    assert torch.equal(fgsm(net, pictures, labels, radius=0.0), pictures)
