"""Executes several unlearning runs stacked on one device; each gets its own report like any other run."""

import time
from collections.abc import Iterator, Sequence

from unlearn_core.domain.errors import NotSupportedError, UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
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
) -> Iterator[RunMetrics | UnlearnError]:
    """Execute several runs at once; yield for each in turn its summary metrics, or the error that stopped it.

    A run that is cancelled or diverges does not stop the others. Raises NotSupportedError if the runs cannot be
    stacked: execute them one after another then.
    """
    reason = why_specs_not_stackable([run.spec for run in runs], _all_stackable())
    if reason is not None:
        raise NotSupportedError(reason)
    prepared = [prepare_run(_spec(run), model_cache, listener) for run, listener in zip(runs, listeners, strict=True)]
    reason = why_not_stackable(prepared[0].problem.model)
    if reason is not None:
        raise NotSupportedError(reason)
    remaining = iter(runs)
    for part in _split_by_memory(prepared):
        for begun, ended, seconds in _forget_stacked(part, model_cache):
            run = next(remaining)
            yield _complete(begun, run, model_cache, seconds, len(part)) if ended is None else ended


def stackable_params(device: str) -> StackableParams:
    """Return the methods that can be stacked on a device: none on a CPU, which a single run already keeps busy."""
    return _all_stackable() if device.startswith("cuda") else {}


def _all_stackable() -> StackableParams:
    return {method.id: method.stackable_params for method in methods().values() if method.forget_stacked is not None}


def _spec(run: Run) -> UnlearnSpec:
    assert isinstance(run.spec, UnlearnSpec)
    return run.spec


def _split_by_memory(prepared: Sequence[PreparedRun]) -> list[Sequence[PreparedRun]]:
    """Return the runs in stacks that fit in the device's memory, by the images per step."""
    batch = getattr(prepared[0].resolved.params, "batch", prepared[0].problem.sizes.batch)
    most = max(1, MAX_IMAGES_PER_STEP // batch)
    return [prepared[at : at + most] for at in range(0, len(prepared), most)]


def _forget_stacked(
    stack: Sequence[PreparedRun], model_cache: ModelCache
) -> list[tuple[PreparedRun, UnlearnError | None, float]]:
    """Unlearn a stack of runs; return, per run, what stopped it and its share of the seconds."""
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
) -> RunMetrics | UnlearnError:
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
