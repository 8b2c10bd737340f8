"""Streaming of images that do not fit on the device: they stay in memory or on disk and are moved in batches."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

MAX_MEMORY_SHARE = 0.5
"""Maximum share of a device's free memory for a data set; models, gradients and activations need the rest."""


def to_device_or_stream(host: Tensor, device: torch.device) -> Tensor:
    """Images (N, H, W, C) uint8 for a model on that device: copied to it if they fit, streamed if they do not."""
    if device.type != "cuda":
        return host.to(device)
    free, _ = torch.cuda.mem_get_info(device)
    return host.to(device) if host.nbytes <= MAX_MEMORY_SHARE * free else StreamedImages(host, device)


class StreamedImages(Tensor):
    """A tensor of images on a device that moves only the requested rows there.

    It is a wrapper subclass of torch.Tensor with the shape, type and device of the images it returns, and has no memory
    of its own. Rows, slices and `split` work, and a gather whose first index is rows; anything else would need all
    images at once and raises TypeError.
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
        raise TypeError(f"{func} needs all streamed images at once: select rows first.")

    def __getitem__(self, key: Any) -> Tensor:
        if isinstance(key, tuple):  # A gather: first the images, then their pixels on the device.
            rows, *pixels = key
            own = torch.arange(rows.numel(), device=self.device).view(rows.shape)
            return self._moved(rows.flatten())[(own, *pixels)]
        return self._moved(key)

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """The images in order, `split_size` at a time, each part moved when it is needed."""
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
