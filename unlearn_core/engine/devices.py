"""The devices of this machine, and the one that "auto" selects."""

import torch

from unlearn_core.domain.errors import DeviceNotFoundError


def list_devices() -> list[str]:
    """Return the names of all devices: every GPU, then the CPU. Initialises no CUDA context."""
    return [*(f"cuda:{number}" for number in range(torch.cuda.device_count())), "cpu"]


def resolve_device(name: str) -> str:
    """Return a device by name; "auto" is the first GPU, or the CPU if there is none. Raises DeviceNotFoundError."""
    known = list_devices()
    wanted = {"auto": known[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in known:
        raise DeviceNotFoundError(f"This machine has no device {name!r}. It has: {', '.join(known)}.")
    return wanted


def describe_device(name: str) -> str:
    """Return a device's display name: the GPU's product name, or "CPU"."""
    return torch.cuda.get_device_name(name) if name.startswith("cuda") else "CPU"
