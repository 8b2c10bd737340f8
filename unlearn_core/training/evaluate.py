"""What one net answers to every picture: the single forward pass that all figures come from."""

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.training.batches import to_floats

BATCH = 500


@torch.inference_mode()
def logits(net: nn.Module, images: Tensor) -> np.ndarray:
    """Logits (N, C) float32 of pictures (N, H, W, 3) uint8 on the net's device.

    In eval mode, in float32, without augmentation, every picture once and in order; the net's mode is put back.
    """
    was_training = net.training
    net.eval()
    answers = torch.cat([net(to_floats(part)) for part in images.split(BATCH)])
    net.train(was_training)
    return answers.float().cpu().numpy()
