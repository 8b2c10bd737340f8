"""Pictures that do not fit on the device: they stay in memory or on the disk, and come over batch by batch."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

MAX_MEMORY_SHARE = 0.5
"""The share of a device's free memory that a data set may take; nets, gradients and activations need the rest."""


def to_device_or_stream(host: Tensor, device: torch.device) -> Tensor:
    """Pictures (N, H, W, C) uint8 where a net on that device finds them: on it if they fit, streamed if they do not."""
    if device.type != "cuda":
        return host.to(device)
    free, _ = torch.cuda.mem_get_info(device)
    return host.to(device) if host.nbytes <= MAX_MEMORY_SHARE * free else StreamedImages(host, device)


class StreamedImages(Tensor):
    """Looks like pictures on a device to whoever takes some of them by rows; only those are moved there.

    A wrapper of torch's own kind: shape, type and device are those of the pictures that it gives, and it has no memory
    of its own. Rows, slices and `split` work, and a gather whose first index is rows; anything else would need all
    pictures at once, and is a TypeError.
    """

    host: Tensor

    @staticmethod
    def __new__(cls, host: Tensor, device: torch.device) -> "StreamedImages":
        wrapper = torch.Tensor._make_wrapper_subclass(cls, host.shape, dtype=host.dtype, device=device)  # pyright: ignore[reportAttributeAccessIssue]
        wrapper.host = host
        return wrapper

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise TypeError(f"{func} would need all streamed pictures at once: take rows of them first.")

    def __getitem__(self, key: Any) -> Tensor:
        if isinstance(key, tuple):  # A gather: the pictures first, then their pixels on the device.
            rows, *pixels = key
            own = torch.arange(rows.numel(), device=self.device).view(rows.shape)
            return self._moved(rows.flatten())[(own, *pixels)]
        return self._moved(key)

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """The pictures in order, so many at a time, each part moved when its turn comes."""
        return self._parts(split_size)

    def _parts(self, size: int) -> Iterator[Tensor]:
        for first in range(0, len(self.host), size):
            yield self._moved(slice(first, first + size))

    def _moved(self, key: Any) -> Tensor:
        some = self.host[key.to(self.host.device) if isinstance(key, Tensor) else key]
        if self.device.type != "cuda":
            return some
        return some.contiguous().pin_memory().to(self.device, non_blocking=True)

    def __repr__(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return f"Streamed({tuple(self.shape)}, device={self.device})"
