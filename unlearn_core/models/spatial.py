"""Map the output of a layer to places in the image, for every common layout."""

from math import isqrt

from torch import Tensor


def to_spatial(output: Tensor, *, prefix_tokens: int | None) -> Tensor | None:
    """A layer's output as (N, C, h, w), from that layout, (N, h, w, C) or tokens (N, prefix + h w, C) with h = w.

    Tokens before those of the image belong to no place and are left out; a layer with exactly a square of tokens does
    not have them yet. None if there are no places, or only one.
    """
    if output.ndim == 3 and prefix_tokens is not None:
        places = output.shape[1] - prefix_tokens
        places = places if _square(places) else output.shape[1]
        if _square(places):
            side = isqrt(places)
            output = output[:, output.shape[1] - places :].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    elif output.ndim == 4 and output.shape[1] == output.shape[2] != output.shape[3]:
        # Images are square, so this is channels last, as in windowed transformers.
        output = output.permute(0, 3, 1, 2)
    return output if output.ndim == 4 and output[0, 0].numel() > 1 else None


def _square(number: int) -> bool:
    return number > 0 and isqrt(number) ** 2 == number
