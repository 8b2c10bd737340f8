"""Mixed precision: bfloat16 autocast for training steps; evaluation stays in float32."""

from contextlib import AbstractContextManager

import torch


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 autocast for training steps, on a CPU and on GPUs that support it."""
    supported = device.type == "cpu" or torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=supported)
