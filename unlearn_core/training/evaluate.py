"""Evaluation: a model's predictions, accuracy and logits on images, in eval mode and float32."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.training.batches import to_floats

REVISION = 1
"""Raise it if a change alters logits for the same weights by more than rounding: earlier results then are outdated."""
BATCH_SIZE, FULL_BATCH_SIDE = 500, 64
"""Images in a batch, and the largest height of an image for so many: larger images come in smaller batches."""


def images_per_batch(side: int) -> int:
    """How many images of that height and width to pass at once: never more pixels than BATCH_SIZE images of 64 x 64.

    A batch of 500 images of 224 pixels would take several GB for the outputs of a single layer.
    """
    return max(1, min(BATCH_SIZE, BATCH_SIZE * FULL_BATCH_SIDE**2 // side**2))


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """Put the whole model into eval mode for the block, then restore the mode of every module."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """The predicted class (n,) int64 of each float image (n, 3, H, W), in eval mode and float32."""
    with eval_mode(model):
        return torch.cat([model(part).argmax(1) for part in images.split(images_per_batch(images.shape[2]))])


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share (0 to 1) of float images (n, 3, H, W) classified correctly, in eval mode and float32."""
    return float((predict(model, images) == labels).float().mean())


def batches(count: int, side: int, first: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The batches of `count` images of that height: those that hold all images of `first`, and then the others.

    The batches are as many and as large as those of `logits`, so that each image gets the same bits as there.
    """
    size = images_per_batch(side)
    whole = count - count % size
    is_first = np.zeros(count, bool)
    is_first[first] = True
    order = np.argsort(~is_first[:whole], kind="stable")
    found = [*np.split(order, range(size, whole, size)), np.arange(whole, count)] if whole else [np.arange(count)]
    found = [batch for batch in found if len(batch)]
    return [own for own in found if is_first[own].any()], [own for own in found if not is_first[own].any()]


@torch.inference_mode()
def logits(model: nn.Module, images: Tensor) -> np.ndarray:
    """Logits (N, C) float32 of images (N, H, W, 3) uint8 on the model's device.

    In eval mode, in float32, without augmentation, every image once and in order.
    """
    with eval_mode(model):
        parts = [model(to_floats(part)) for part in images.split(images_per_batch(images.shape[1]))]
    return torch.cat(parts).float().cpu().numpy()
