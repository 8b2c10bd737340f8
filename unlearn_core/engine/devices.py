"""Which devices there are, and which one "auto" means."""

import torch

from unlearn_core.domain.errors import DeviceNotFoundError


def list_devices() -> list[str]:
    """The devices of this machine by name: every GPU, then the CPU. Initialises no CUDA context."""
    return [*(f"cuda:{number}" for number in range(torch.cuda.device_count())), "cpu"]


def resolve_device(name: str) -> str:
    """A device by name; "auto" is the first GPU if there is one, else the CPU. Raises NoSuchDevice."""
    known = list_devices()
    wanted = {"auto": known[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in known:
        raise DeviceNotFoundError(f"This machine has no device {name!r}. It has: {', '.join(known)}.")
    return wanted


def describe_device(name: str) -> str:
    """What a person calls a device: the GPU's product name, or "CPU"."""
    return torch.cuda.get_device_name(name) if name.startswith("cuda") else "CPU"
