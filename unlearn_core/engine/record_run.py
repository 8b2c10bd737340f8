"""Work that a process does itself, as a run of the history: for the command line and notebooks."""

from collections.abc import Callable
from typing import Any

from unlearn_core.domain.errors import CancelledError
from unlearn_core.store.db.rows import AnySpec
from unlearn_core.store.queue.run_store import RunStore

Metrics = dict[str, Any]


def record_run(
    store: RunStore, spec: AnySpec, *, title: str, device: str, work: Callable[[int], Metrics]
) -> tuple[int, Metrics]:
    """Does `work`, which is handed the run's number, and writes down how it ended; gives the number and the headline.

    Whatever stops the work is raised again; then the run stands in the history as cancelled, or as failed with the
    reason.
    """
    run = store.register_running(spec, title=title, device=device)
    try:
        headline = work(run)
    except (CancelledError, KeyboardInterrupt):
        store.mark_cancelled(run, 1)
        raise
    except BaseException as problem:
        store.fail(run, 1, str(problem) or type(problem).__name__)
        raise
    store.finish(run, 1, metrics=headline)
    return run, headline
