"""Batch norm folded into the convolutions before it: the same function in eval mode, with fewer passes over memory.

Source: Jacob et al., Quantization and Training of Neural Networks, CVPR 2018, section 3.2, equation 14.
"""

from collections import Counter
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from unlearn_core.training import evaluate
from unlearn_core.training.batches import to_floats

MAX_DIFFERENCE = 1e-4
"""The most that a logit may differ from the model's own; rounding makes about a tenth of that."""
NUM_CHECKED = 64
"""The most images on which that is checked, once per model; large ones fit a batch of fewer."""
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@torch.inference_mode()
def folded(model: nn.Module, images: Tensor) -> nn.Module:
    """Return a copy of a model in eval mode whose batch norms are folded where that is possible, for evaluation only.

    `images` (N, H, W, 3) uint8 on the model's device: logits are compared on the first of them, and where they differ
    by more than `MAX_DIFFERENCE` or are not finite, the model itself is returned.
    """
    if not any(type(module) in _NORMS for module in model.modules()):
        return model
    count = min(NUM_CHECKED, evaluate.images_per_batch(images.shape[1]))
    copy, checked = deepcopy(model).eval(), to_floats(images[:count])
    pairs, logits = _trace(copy, checked)
    for norm, convolution in pairs.items():
        _fold(copy, norm, convolution)
    is_same = pairs and (copy(checked) - logits).abs().max() <= MAX_DIFFERENCE  # False where one is not finite.
    return copy if is_same else model


def _trace(model: nn.Module, images: Tensor) -> tuple[dict[str, str], Tensor]:
    """Return each batch norm that receives the output of a convolution, both called once, and the model's output."""
    calls: Counter[str] = Counter()
    outputs: list[tuple[str, Tensor]] = []
    pairs: dict[str, str] = {}

    def record(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls[name] += 1
        if isinstance(module, _CONVOLUTIONS):
            outputs.append((name, output))
        else:
            pairs.update((name, convolution) for convolution, own in outputs if own is inputs[0])

    hooks = [
        module.register_forward_hook(partial(record, name))
        for name, module in model.named_modules()
        # A subclass may do more than its base class.
        if isinstance(module, _CONVOLUTIONS) or (type(module) in _NORMS and module.track_running_stats)
    ]
    logits = model(images)
    for hook in hooks:
        hook.remove()
    return {norm: own for norm, own in pairs.items() if calls[norm] == calls[own] == 1}, logits


def _fold(model: nn.Module, norm: str, convolution: str) -> None:
    """Fold a batch norm into the convolution before it, in place."""
    one, other = model.get_submodule(convolution), model.get_submodule(norm)
    assert isinstance(one, _CONVOLUTIONS) and isinstance(other, _NORMS)
    assert other.running_mean is not None and other.running_var is not None
    one.weight, one.bias = fuse_conv_bn_weights(
        one.weight, one.bias, other.running_mean, other.running_var, other.eps, other.weight, other.bias
    )
    model.set_submodule(norm, nn.Identity())


def logits(model: nn.Module, images: Tensor) -> np.ndarray:
    """Return `evaluate.logits` of the folded model: for a finished model that is evaluated on many images."""
    return evaluate.logits(folded(model, images), images)
