"""Random streams: independent generators derived from one seed, each named by its purpose."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def random_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A separate CPU generator for one purpose.

    Streams of different purposes are independent, so a new random draw in one place changes nothing elsewhere, and
    epoch 17 can be reproduced without the sixteen before it.
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)


@contextmanager
def seeded(seed: int, *purpose: str | int, device: torch.device | None = None) -> Iterator[None]:
    """Run the block with a seeded global random state, which weight initialisers use, then restore the old state.

    If `device` is a GPU, its own generator, which dropout uses there, is seeded too.
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        generator = random_generator(seed, *purpose)
        torch.set_rng_state(generator.get_state())
        if gpus:
            torch.cuda.manual_seed(generator.initial_seed())
        yield
