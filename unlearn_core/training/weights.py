"""Weight files in safetensors format, and the checksum that identifies a model."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from unlearn_core.data.atomic_files import atomic_write


def checksum(model: nn.Module) -> str:
    """A hash of a model's state dict: names, types, shapes and bits of all tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def non_finite_parameters(model: nn.Module) -> list[str]:
    """The names of tensors in the state dict that contain non-finite values."""
    return [
        name
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all())
    ]


def to_bytes(model: nn.Module, *, half: bool = False) -> bytes:
    """The state dict as safetensors; `half` stores floats in 16 bits."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    return save({name: _halved(tensor) if half else tensor for name, tensor in state.items()})


def from_bytes(model: nn.Module, data: bytes) -> None:
    """Load stored weights into a model of the same architecture; 16-bit floats are converted to its types."""
    model.load_state_dict(load(data))


def write(path: Path, model: nn.Module) -> None:
    """Write a model's weights in full precision."""
    atomic_write(path, to_bytes(model))


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.dtype == torch.float32 else tensor
