"""Work that a process does itself, as a run of the history: for the command line and notebooks."""

from collections.abc import Callable
from typing import Any

from unlearn_core.domain.errors import Cancelled
from unlearn_core.store.db.rows import AnySpec
from unlearn_core.store.queue.run_store import RunStore

Headline = dict[str, Any]


def in_history(
    store: RunStore, spec: AnySpec, *, title: str, device: str, work: Callable[[int], Headline]
) -> tuple[int, Headline]:
    """Does `work`, which is handed the run's number, and writes down how it ended; gives the number and the headline.

    Whatever stops the work is raised again; then the run stands in the history as cancelled, or as failed with the
    reason.
    """
    run = store.adopt(spec, title=title, device=device)
    try:
        headline = work(run)
    except (Cancelled, KeyboardInterrupt):
        store.cancelled(run, 1)
        raise
    except BaseException as problem:
        store.fail(run, 1, str(problem) or type(problem).__name__)
        raise
    store.finish(run, 1, headline=headline)
    return run, headline
