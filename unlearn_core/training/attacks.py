"""Adversarial attacks: FGSM and L2 PGD on batches of images, in float32 throughout."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.training.evaluate import eval_mode

IMAGES_PER_CHUNK = 256
"""Images that `pgd_l2_batched` attacks at a time."""
MIN_GRADIENT_NORM = 1e-6
"""Gradients with a smaller norm than this are not normalised."""


def fgsm(model: nn.Module, images: Tensor, labels: Tensor, *, radius: float) -> Tensor:
    """FGSM: the images (N, 3, H, W) with every pixel moved by `radius` (L-inf) away from its label, clamped to [0, 1].

    One untargeted step, in eval mode; the model's weights get no gradient. Source: Goodfellow et al. 2015.
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
    """Targeted PGD: images that the model should classify as targets (N,), at most `radius` (L2) from the originals.

    `images` and `start` (N, 3, H, W) in [0, 1], `radius` and `step` in pixel units; the search starts where the line
    from image to `start` (uniform noise) leaves the ball, and each step reduces the targets' cross-entropy. The last
    iterate is returned, whether or not the attack succeeded. `progress` gets one item per step, whose first element is
    the images as they are before it: a method passes `tracker.iterate`. In eval mode. Source: Madry et al. 2018, in the
    variant that L2UL uses (advertorch's L2PGDAttack: random start, no choice of the best iterate).
    """
    shift = _within(start - images, radius)
    with eval_mode(model):
        # The generator is asked for an item when the step before it is over, so it sees that step's shift.
        for now, _ in progress((images + shift, number) for number in range(steps)):
            uphill = _input_gradient(model, now, targets)
            length = uphill.flatten(1).norm(dim=1).clamp_min(MIN_GRADIENT_NORM)
            moved = now - step * uphill / length.view(-1, 1, 1, 1)
            # Shortening a shift keeps an image within [0, 1], so both constraints hold in this order.
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
    """`pgd_l2` for any number of images in chunks; chunk i starts from uniform noise of `generator_for(i)`."""
    made = []
    for number, (part, aims) in enumerate(
        zip(images.split(IMAGES_PER_CHUNK), targets.split(IMAGES_PER_CHUNK), strict=True)
    ):
        start = torch.rand(part.shape, generator=generator_for(number)).to(part.device)
        part = part.contiguous(memory_format=torch.channels_last)
        made.append(pgd_l2(model, part, aims, radius=radius, step=step, steps=steps, start=start, progress=progress))
    return torch.cat(made)


def _input_gradient(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient of each image's own cross-entropy (of the sum, so that it does not depend on the batch size)."""
    with torch.enable_grad():
        inputs = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(inputs), labels, reduction="sum"), inputs)
    return gradient


def _within(shift: Tensor, radius: float) -> Tensor:
    """The shifts (N, 3, H, W), scaled down to `radius` where they are longer."""
    length = shift.flatten(1).norm(dim=1).clamp_min(MIN_GRADIENT_NORM)
    return shift * (radius / length).clamp_max(1).view(-1, 1, 1, 1)
