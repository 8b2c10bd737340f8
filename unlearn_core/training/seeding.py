"""All randomness of the lab: independent streams that one seed makes, each named by what it is for."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def random_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator of its own for one purpose.

    Streams of different purposes are independent, so a new random draw in one place shifts nothing elsewhere, and
    epoch 17 can be replayed without the sixteen before it.
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)


@contextmanager
def seeded(seed: int, *purpose: str | int, device: torch.device | None = None) -> Iterator[None]:
    """Runs the block under a seeded global random state (weight initialisers know no other), then restores the old.

    Where `device` is a GPU, so is that of its own generator, from which dropout draws there.
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        generator = random_generator(seed, *purpose)
        torch.set_rng_state(generator.get_state())
        if gpus:
            torch.cuda.manual_seed(generator.initial_seed())
        yield
