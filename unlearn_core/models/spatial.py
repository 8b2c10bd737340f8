"""Where in a picture a layer's output belongs, however the layer lays it out."""

from math import isqrt

from torch import Tensor


def to_spatial(output: Tensor, *, prefix_tokens: int | None) -> Tensor | None:
    """A layer's output as (N, C, h, w), whether it is that, (N, h, w, C) or tokens (N, prefix + h w, C) with h = w.

    Tokens that come before the picture's own belong to no place and are left out; a layer that gives exactly a square
    of tokens has none of them yet. None where there are no places, or only one.
    """
    if output.ndim == 3 and prefix_tokens is not None:
        places = output.shape[1] - prefix_tokens
        places = places if _square(places) else output.shape[1]
        if _square(places):
            side = isqrt(places)
            output = output[:, output.shape[1] - places :].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    elif output.ndim == 4 and output.shape[1] == output.shape[2] != output.shape[3]:
        # Pictures are square, so that is channels last, as windowed transformers have it.
        output = output.permute(0, 3, 1, 2)
    return output if output.ndim == 4 and output[0, 0].numel() > 1 else None


def _square(number: int) -> bool:
    return number > 0 and isqrt(number) ** 2 == number
