"""Where bfloat16 pays and where it must not be used."""

from contextlib import AbstractContextManager

import torch


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision for training steps: bfloat16 autocast, on a CPU and on a GPU that has it."""
    good = device.type == "cpu" or torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=good)
