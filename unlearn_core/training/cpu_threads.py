"""CPU threads: as many as there are idle cores when a job starts, and waiting threads that soon sleep.

PyTorch's threads wait for each other after every operation, and spin while they wait. If a thread has to share its core
with another program, the others burn theirs: beside two busy programs, a run on two cores takes ten times as long.
"""

import os
from collections.abc import MutableMapping
from functools import cache

from unlearn_core.settings import settings

COUNT_VARIABLES = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "MKL_NUM_THREADS")
"""A count that these set from outside is never changed."""

WAIT_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""If one of these is set from outside, threads wait as it says."""

SPIN_COUNT = "10000"
"""How often a waiting thread of libgomp spins before it sleeps, instead of 300,000 times."""


def limit_spinning(environment: MutableMapping[str, str]) -> None:
    """Let threads that wait soon sleep, unless the environment says how they wait; before torch is imported."""
    if not any(environment.get(name) for name in WAIT_VARIABLES):
        environment["GOMP_SPINCOUNT"] = SPIN_COUNT


def is_set_outside() -> bool:
    """Return whether the environment sets the number of threads."""
    return any(os.environ.get(name) for name in COUNT_VARIABLES)


def adapt(load: float | None, cores: int) -> int:
    """Set torch's threads for a job that starts now on so many cores beside a load of other programs; return them.

    `UNLEARN_THREADS` sets the number instead, and a number that was set from outside stays as it is.
    """
    import torch

    if not is_set_outside():
        use(settings().threads or idle_cores(_most_threads(), cores, load))
    return torch.get_num_threads()


def use(threads: int) -> None:
    """Set torch's threads, unless their number is set from outside."""
    import torch

    if not is_set_outside() and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def idle_cores(most: int, cores: int, load: float | None) -> int:
    """Return how many threads find an idle core, 1 to `most`; all if the load (in cores) is unknown."""
    return most if load is None else max(1, min(most, round(cores - load)))


@cache
def _most_threads() -> int:
    """The threads that torch chose when it was imported; called before they are changed."""
    import torch

    return torch.get_num_threads()
