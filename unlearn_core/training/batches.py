"""Pictures as they lie on the device, and the batches that are cut from them."""

from collections.abc import Iterator

import torch
from torch import Tensor

CROP = 4
"""Pixels by which a training picture may be shifted."""


def to_floats(images: Tensor) -> Tensor:
    """Pictures (N, H, W, C) uint8 as the nets take them: (N, C, H, W) float32 in [0, 1], channels last in memory."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def crop_and_flip(images: Tensor, rows: Tensor, generator: torch.Generator) -> Tensor:
    """The chosen pictures, each shifted by up to 4 pixels (reflected at the border) and flipped half of the time.

    `images` (N, H, W, C) uint8 and `rows` (B,) in; (B, H, W, C) uint8 out. Shift, reflection and flip are one gather.
    Pictures of up to 4 pixels stay as they are.
    """
    count, size, device = len(rows), images.shape[1], images.device
    if size <= CROP:  # Nothing to shift or mirror in a picture that is smaller than the shift: a point stays itself.
        return images[rows]
    shift = torch.randint(-CROP, CROP + 1, (2, count, 1), generator=generator).to(device)
    flip = torch.randint(0, 2, (count, 1), generator=generator).to(device).bool()
    place = torch.arange(size, device=device)
    y, x = ((place + s).abs() for s in shift)
    y, x = (size - 1 - (size - 1 - p).abs() for p in (y, x))
    x = torch.where(flip, x.flip(1), x)
    return images[rows[:, None, None], y[:, :, None], x[:, None, :]]


def epoch(
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    *,
    batch: int,
    generator: torch.Generator,
    augment: bool,
    drop_last: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass over the chosen rows: float pictures (B, C, H, W) in [0, 1] and labels (B,) int64.

    `drop_last` leaves out a short last batch, whose batch-norm statistics would be poor.
    """
    order = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
    for chosen in order.split(batch):
        if drop_last and len(chosen) < batch and len(rows) >= batch:
            return
        pictures = crop_and_flip(images, chosen, generator) if augment else images[chosen]
        yield to_floats(pictures), labels[chosen]


def steps_in_epoch(count: int, batch: int, *, drop_last: bool = False) -> int:
    """How many batches `epoch` yields for so many pictures."""
    return count // batch if drop_last and count >= batch else -(-count // batch)


def pictures_in(count: int, batch: int, steps: int) -> int:
    """How many pictures so many steps take from an endless row of epochs, each with a shorter batch at its end."""
    epochs, rest = divmod(steps, max(1, -(-count // batch)))
    return epochs * count + min(rest * batch, count)
