"""Batches: conversion to floats, augmentation, and shuffled passes over images on the device."""

from collections.abc import Iterator

import torch
from torch import Tensor

MAX_SHIFT = 4
"""Maximum shift of a training image, in pixels."""


def to_floats(images: Tensor) -> Tensor:
    """Images (N, H, W, C) uint8 as model input: (N, C, H, W) float32 in [0, 1], channels last in memory."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def crop_and_flip(images: Tensor, rows: Tensor, generator: torch.Generator) -> Tensor:
    """The chosen images, each shifted by up to 4 pixels (reflected at the border) and flipped with probability 1/2.

    `images` (N, H, W, C) uint8 and `rows` (B,) in; (B, H, W, C) uint8 out. Shift, reflection and flip are one gather.
    Images of up to 4 pixels in height are returned unchanged.
    """
    count, size, device = len(rows), images.shape[1], images.device
    if size <= MAX_SHIFT:  # An image smaller than the shift, such as a point, cannot be augmented.
        return images[rows]
    shift = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2, count, 1), generator=generator).to(device)
    flip = torch.randint(0, 2, (count, 1), generator=generator).to(device).bool()
    place = torch.arange(size, device=device)
    y, x = ((place + s).abs() for s in shift)
    y, x = (size - 1 - (size - 1 - p).abs() for p in (y, x))
    x = torch.where(flip, x.flip(1), x)
    return images[rows[:, None, None], y[:, :, None], x[:, None, :]]


def epoch_batches(
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    *,
    batch_size: int,
    generator: torch.Generator,
    augment: bool,
    drop_last: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass over the chosen rows: float images (B, C, H, W) in [0, 1] and labels (B,) int64.

    `drop_last` skips an incomplete last batch, whose batch-norm statistics would be poor.
    """
    order = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
    for chosen in order.split(batch_size):
        if drop_last and len(chosen) < batch_size and len(rows) >= batch_size:
            return
        batch = crop_and_flip(images, chosen, generator) if augment else images[chosen]
        yield to_floats(batch), labels[chosen]


def steps_in_epoch(count: int, batch_size: int, *, drop_last: bool = False) -> int:
    """The number of batches that `epoch_batches` yields for `count` images."""
    return count // batch_size if drop_last and count >= batch_size else -(-count // batch_size)


def images_seen(count: int, batch_size: int, steps: int) -> int:
    """The number of images in `steps` steps over repeated epochs, each with a possibly incomplete last batch."""
    epochs, rest = divmod(steps, max(1, -(-count // batch_size)))
    return epochs * count + min(rest * batch_size, count)
