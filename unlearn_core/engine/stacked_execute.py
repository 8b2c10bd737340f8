"""Several unlearning runs made side by side on one device, each with a report of its own like any other run's."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from unlearn_core.domain.errors import NotSupported, UnlearnError
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import Stacks, unlike
from unlearn_core.engine.execute import Begun, begin, finish, settle
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.model_cache import Warm
from unlearn_core.methods import methods
from unlearn_core.store.files import artifacts
from unlearn_core.training.stacked import TOGETHER, why_not


def carry_out_together(
    runs: Sequence[Run], warm: Warm, listeners: Sequence[Listener]
) -> Iterator[dict[str, Any] | UnlearnError]:
    """Does several runs at once; gives for each in turn its headline figures, or what stopped it.

    A run that is cancelled, or whose loss is no longer a number, stops no other. Raises NotSupported where they cannot
    be made side by side: then carry them out one after another.
    """
    reason = unlike([run.spec for run in runs], _able())
    if reason is not None:
        raise NotSupported(reason)
    every = [begin(_spec(run), warm, listener) for run, listener in zip(runs, listeners, strict=True)]
    reason = why_not(every[0].problem.net)
    if reason is not None:
        raise NotSupported(reason)
    waiting = iter(runs)
    for part in _fitting(every):
        for begun, ended, seconds in _forget(part, warm):
            run = next(waiting)
            yield _measured(begun, run, warm, seconds, len(part)) if ended is None else ended


def stacks(device: str) -> Stacks:
    """What is made side by side on a device: nothing on a CPU, which a stack keeps no busier than a single run does."""
    return _able() if device.startswith("cuda") else {}


def _able() -> Stacks:
    return {method.id: method.stacks for method in methods().values() if method.forget_stacked is not None}


def _spec(run: Run) -> RunSpec:
    assert isinstance(run.spec, RunSpec)
    return run.spec


def _fitting(every: Sequence[Begun]) -> list[Sequence[Begun]]:
    """The runs in stacks that the device has room for, by the pictures of one step."""
    batch = getattr(every[0].layout.knobs, "batch", every[0].problem.sizes.batch)
    most = max(1, TOGETHER // batch)
    return [every[at : at + most] for at in range(0, len(every), most)]


def _forget(part: Sequence[Begun], warm: Warm) -> list[tuple[Begun, UnlearnError | None, float]]:
    """Lets a stack forget: what stopped each run, and its share of the seconds."""
    stacked = part[0].layout.method.forget_stacked
    assert stacked is not None
    began = time.perf_counter()
    ended = stacked(
        [begun.problem for begun in part], [begun.layout.knobs for begun in part], [begun.tracker for begun in part]
    )
    settle(warm.device)
    share = (time.perf_counter() - began) / len(part)
    return [(begun, end, share) for begun, end in zip(part, ended, strict=True)]


def _measured(begun: Begun, run: Run, warm: Warm, seconds: float, together: int) -> dict[str, Any] | UnlearnError:
    try:
        return finish(begun, warm, artifacts.folder_of(warm.home, run.id), forget=seconds, together=together)
    except UnlearnError as problem:
        return problem
