"""Several unlearning runs made side by side on one device, each with a report of its own like any other run's."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from unlearn_core.domain.errors import NotSupported, UnlearnError
from unlearn_core.domain.run import Run, RunSpec
from unlearn_core.engine.execute import Begun, begin, finish, settle
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.warm import Warm
from unlearn_core.methods import methods
from unlearn_core.store import artifacts
from unlearn_core.training.stacked import TOGETHER, why_not


def carry_out_together(
    runs: Sequence[Run], warm: Warm, listeners: Sequence[Listener]
) -> list[dict[str, Any] | UnlearnError]:
    """Does several runs at once; gives for each its headline figures, or what stopped it.

    The runs' specs must be `alike`. A run that is cancelled, or whose loss is no longer a number, stops no other.
    Raises NotSupported where they cannot be made side by side: then carry them out one after another.
    """
    reason = unlike([run.spec for run in runs])
    if reason is not None:
        raise NotSupported(reason)
    every = [begin(_spec(run), warm, listener) for run, listener in zip(runs, listeners, strict=True)]
    reason = why_not(every[0].problem.net)
    if reason is not None:
        raise NotSupported(reason)
    found: list[dict[str, Any] | UnlearnError] = []
    for part in _fitting(every):
        for begun, ended, seconds in _forget(part, warm):
            run = runs[len(found)]
            found.append(_measured(begun, run, warm, seconds, len(part)) if ended is None else ended)
    return found


def unlike(specs: Sequence[Any]) -> str | None:
    """Why these runs cannot be made side by side, in a sentence; None where they can, as far as the specs tell.

    They may differ in their seeds, and in the knobs that their method names in `stacks`.
    """
    if not specs or not all(isinstance(spec, RunSpec) for spec in specs):
        return "Only runs that forget can be made side by side."
    method = methods().get(specs[0].method)
    if method is None or method.forget_stacked is None:
        return f"{specs[0].method} cannot be made side by side: its file has no `forget_stacked`."
    apart = Counter((spec.method, spec.request.fingerprint(), spec.start) for spec in specs)
    if len(apart) > 1:
        return "Only runs of one method, one request and one start can be made side by side."
    fixed = {tuple((name, value) for name, value in spec.params.items() if name not in method.stacks) for spec in specs}
    if len(fixed) > 1:
        may = ", ".join(sorted(method.stacks))
        return f"Runs that are made side by side may differ in these knobs only: {may}."
    return None


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
