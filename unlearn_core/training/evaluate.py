"""What one net answers to every picture: the single forward pass that all figures come from."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.training.batches import to_floats

REVISION = 1
"""Raise it when a change gives other logits for the same weights: what was measured before is then outdated."""
BATCH = 500


@contextmanager
def in_eval(net: nn.Module) -> Iterator[nn.Module]:
    """Puts the whole net into eval mode for the block, and every module back into the mode it had."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield net
    finally:
        for module, training in modes:
            module.training = training


@torch.inference_mode()
def answers(net: nn.Module, pictures: Tensor) -> Tensor:
    """The class (n,) int64 by which the net calls each float picture (n, 3, H, W), in eval mode and float32."""
    with in_eval(net):
        return torch.cat([net(part).argmax(1) for part in pictures.split(BATCH)])


def accuracy(net: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """The share (0 to 1) of float pictures (n, 3, H, W) that the net names rightly, in eval mode and float32."""
    return float((answers(net, pictures) == labels).float().mean())


@torch.inference_mode()
def logits(net: nn.Module, images: Tensor) -> np.ndarray:
    """Logits (N, C) float32 of pictures (N, H, W, 3) uint8 on the net's device.

    In eval mode, in float32, without augmentation, every picture once and in order.
    """
    with in_eval(net):
        answers = [net(to_floats(part)) for part in images.split(BATCH)]
    return torch.cat(answers).float().cpu().numpy()
