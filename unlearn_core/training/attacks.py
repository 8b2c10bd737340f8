"""Pictures that mislead a net: float32 throughout, every picture of a batch at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.training.evaluate import eval_mode

IMAGES_PER_CHUNK = 256
"""Pictures that `in_parts` attacks at a time."""
MIN_GRADIENT_NORM = 1e-6
"""A gradient shorter than this is not stretched to length 1."""


def fgsm(model: nn.Module, images: Tensor, labels: Tensor, *, radius: float) -> Tensor:
    """The pictures (N, 3, H, W) in [0, 1], every pixel moved by `radius` (L-inf) away from its label, cut to [0, 1].

    One untargeted step, in eval mode; the net's weights get no gradient. Source: Goodfellow et al. 2015.
    """
    with eval_mode(model):
        uphill = _input_gradient(model, images, labels)
    return (images + radius * uphill.sign()).clamp(0, 1)


def pgd_l2(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    radius: float,
    step: float,
    steps: int,
    start: Tensor,
    progress: Callable[[Iterable[Any]], Iterator[Any]] = iter,
) -> Tensor:
    """Pictures that the net should call by their targets (N,), at most `radius` (L2, pixel units) from the originals.

    `pictures` and `start` (N, 3, H, W) in [0, 1]; the search begins where the way from picture to `start` (uniform
    noise) leaves the ball, and goes downhill on the targets' cross-entropy by `step` each time. What it ends with is
    returned, whether or not it succeeded. `over` is handed one item a step, whose first element are the pictures: a
    method passes `track.over`. In eval mode. Source: Madry et al. 2018, in the form that L2UL uses (advertorch's
    L2PGDAttack: random start, no choice of the best iterate).
    """
    shift = _within(start - images, radius)
    with eval_mode(model):
        for _ in progress((images, number) for number in range(steps)):
            uphill = _input_gradient(model, images + shift, targets)
            length = uphill.flatten(1).norm(dim=1).clamp_min(MIN_GRADIENT_NORM)
            moved = images + shift - step * uphill / length.view(-1, 1, 1, 1)
            # Drawing a shift in keeps a picture within [0, 1], so the order of the two cuts leaves both true.
            shift = _within(moved.clamp(0, 1) - images, radius)
    return (images + shift).clamp(0, 1)


def pgd_l2_batched(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    radius: float,
    step: float,
    steps: int,
    generator_for: Callable[[int], torch.Generator],
    progress: Callable[[Iterable[Any]], Iterator[Any]] = iter,
) -> Tensor:
    """As `pgd_l2` for any number of pictures, a part at a time; part i begins at uniform noise from `stream(i)`."""
    made = []
    for number, (part, aims) in enumerate(
        zip(images.split(IMAGES_PER_CHUNK), targets.split(IMAGES_PER_CHUNK), strict=True)
    ):
        start = torch.rand(part.shape, generator=generator_for(number)).to(part.device)
        part = part.contiguous(memory_format=torch.channels_last)
        made.append(pgd_l2(model, part, aims, radius=radius, step=step, steps=steps, start=start, progress=progress))
    return torch.cat(made)


def _input_gradient(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient of each picture's own cross-entropy (the sum's, so that no picture's depends on how many)."""
    with torch.enable_grad():
        seen = images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(seen), labels, reduction="sum"), seen)
    return slope


def _within(shift: Tensor, radius: float) -> Tensor:
    """The shifts (N, 3, H, W), those longer than `radius` shortened to it."""
    length = shift.flatten(1).norm(dim=1).clamp_min(MIN_GRADIENT_NORM)
    return shift * (radius / length).clamp_max(1).view(-1, 1, 1, 1)
