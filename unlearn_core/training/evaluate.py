"""What one net answers to every picture: the single forward pass that all figures come from."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.training.batches import to_floats

REVISION = 1
"""Raise it when a change gives other logits for the same weights: what was measured before is then outdated."""
BATCH_SIZE = 500


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """Puts the whole net into eval mode for the block, and every module back into the mode it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """The class (n,) int64 by which the net calls each float picture (n, 3, H, W), in eval mode and float32."""
    with eval_mode(model):
        return torch.cat([model(part).argmax(1) for part in images.split(BATCH_SIZE)])


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share (0 to 1) of float pictures (n, 3, H, W) that the net names rightly, in eval mode and float32."""
    return float((predict(model, images) == labels).float().mean())


@torch.inference_mode()
def logits(model: nn.Module, images: Tensor) -> np.ndarray:
    """Logits (N, C) float32 of pictures (N, H, W, 3) uint8 on the net's device.

    In eval mode, in float32, without augmentation, every picture once and in order.
    """
    with eval_mode(model):
        answers = [model(to_floats(part)) for part in images.split(BATCH_SIZE)]
    return torch.cat(answers).float().cpu().numpy()
