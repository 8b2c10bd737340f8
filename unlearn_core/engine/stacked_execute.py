"""Several unlearning runs made side by side on one device, each with a report of its own like any other run's."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from unlearn_core.domain.errors import NotSupportedError, UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.stacking import StackableParams, why_specs_not_stackable
from unlearn_core.engine.execute import PreparedRun, complete_run, prepare_run, synchronize
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.methods import methods
from unlearn_core.store.files import artifacts
from unlearn_core.training.stacked import MAX_IMAGES_PER_STEP, why_not_stackable


def execute_stacked(
    runs: Sequence[Run], model_cache: ModelCache, listeners: Sequence[RunListener]
) -> Iterator[dict[str, Any] | UnlearnError]:
    """Does several runs at once; gives for each in turn its headline figures, or what stopped it.

    A run that is cancelled, or whose loss is no longer a number, stops no other. Raises NotSupported where they cannot
    be made side by side: then carry them out one after another.
    """
    reason = why_specs_not_stackable([run.spec for run in runs], _all_stackable())
    if reason is not None:
        raise NotSupportedError(reason)
    every = [prepare_run(_spec(run), model_cache, listener) for run, listener in zip(runs, listeners, strict=True)]
    reason = why_not_stackable(every[0].problem.model)
    if reason is not None:
        raise NotSupportedError(reason)
    waiting = iter(runs)
    for part in _split_by_memory(every):
        for begun, ended, seconds in _forget_stacked(part, model_cache):
            run = next(waiting)
            yield _complete(begun, run, model_cache, seconds, len(part)) if ended is None else ended


def stackable_params(device: str) -> StackableParams:
    """What is made side by side on a device: nothing on a CPU, which a stack keeps no busier than a single run does."""
    return _all_stackable() if device.startswith("cuda") else {}


def _all_stackable() -> StackableParams:
    return {method.id: method.stackable_params for method in methods().values() if method.forget_stacked is not None}


def _spec(run: Run) -> UnlearnSpec:
    assert isinstance(run.spec, UnlearnSpec)
    return run.spec


def _split_by_memory(prepared: Sequence[PreparedRun]) -> list[Sequence[PreparedRun]]:
    """The runs in stacks that the device has room for, by the pictures of one step."""
    batch = getattr(prepared[0].resolved.params, "batch", prepared[0].problem.sizes.batch)
    most = max(1, MAX_IMAGES_PER_STEP // batch)
    return [prepared[at : at + most] for at in range(0, len(prepared), most)]


def _forget_stacked(
    stack: Sequence[PreparedRun], model_cache: ModelCache
) -> list[tuple[PreparedRun, UnlearnError | None, float]]:
    """Lets a stack forget: what stopped each run, and its share of the seconds."""
    stacked = stack[0].resolved.method.forget_stacked
    assert stacked is not None
    began = time.perf_counter()
    ended = stacked(
        [begun.problem for begun in stack],
        [begun.resolved.params for begun in stack],
        [begun.tracker for begun in stack],
    )
    synchronize(model_cache.device)
    share = (time.perf_counter() - began) / len(stack)
    return [(begun, end, share) for begun, end in zip(stack, ended, strict=True)]


def _complete(
    prepared: PreparedRun, run: Run, model_cache: ModelCache, seconds: float, together: int
) -> dict[str, Any] | UnlearnError:
    try:
        return complete_run(
            prepared,
            model_cache,
            artifacts.run_dir(model_cache.data_dir, run.id),
            forget_seconds=seconds,
            stack_size=together,
        )
    except UnlearnError as problem:
        return problem
