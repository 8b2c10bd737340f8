"""How a model's input was normalised: what its checkpoint says, if it has a normalising layer, and the usual ways."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

MEANS = {"mean", "_mean", "means", "mu", "pixel_mean", "image_mean", "img_mean", "norm_mean", "data_mean"}
DEVIATIONS = {"std", "_std", "stds", "sigma", "pixel_std", "image_std", "img_std", "norm_std", "data_std"}

RGB = tuple[float, float, float]

USUAL: dict[str, tuple[RGB, RGB]] = {
    "ImageNet's statistics": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "CIFAR-10's statistics": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "CIFAR-10's, deviation of an image": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "0.5 and 0.5": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""The constants that training code uses most, for pixels in [0, 1], by what they are called here.

The second deviation for CIFAR-10, which many repositories copy from each other, is the mean of each image's own.
"""


class NormalizingLayer(NamedTuple):
    """The constants of such a layer for pixels in [0, 1], and the names of its tensors in the file."""

    mean: RGB
    std: RGB
    tensors: tuple[str, str]


def find_normalizing_layer(tensors: Mapping[str, Tensor]) -> NormalizingLayer | None:
    """The first pair of a mean and a standard deviation, each of one or three numbers, that can be those of pixels.

    Constants for pixels from 0 to 255 are divided by 255. Returns None if there is no such pair.
    """
    modules = {name.rpartition(".")[0] for name in tensors}
    for module in sorted(modules):
        inside = {name.rpartition(".")[2]: name for name in tensors if name.rpartition(".")[0] == module}
        mean = next((name for leaf, name in inside.items() if leaf.lower() in MEANS), None)
        std = next((name for leaf, name in inside.items() if leaf.lower() in DEVIATIONS), None)
        if mean is None or std is None:
            continue
        constants = _plausible(tensors[mean], tensors[std])
        if constants is not None:
            return NormalizingLayer(*constants, (mean, std))
    return None


def _plausible(mean: Tensor, std: Tensor) -> tuple[RGB, RGB] | None:
    if mean.numel() not in (1, 3) or std.numel() not in (1, 3) or not mean.is_floating_point():
        return None
    values = torch.stack([mean.detach().double().flatten().expand(3), std.detach().double().flatten().expand(3)])
    if float(values.max()) > 1:
        values = values / 255
    if float(values.min()) < 0 or float(values[1].min()) < 0.01 or float(values.max()) > 1:
        return None
    (red, green, blue), (first, second, third) = ([round(float(one), 6) for one in row] for row in values)
    return (red, green, blue), (first, second, third)
