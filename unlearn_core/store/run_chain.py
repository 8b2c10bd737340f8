"""The earlier runs that a run continues: a run can start from the model of another one."""

from unlearn_core.domain.errors import NotFoundError, StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.store.queue.run_store import RunStore


def run_chain(store: RunStore, spec: UnlearnSpec) -> list[UnlearnSpec]:
    """Return a run's spec after those of the earlier runs that it continues, the first one first.

    Raises StoreError if one of them was deleted.
    """
    chain = [spec]
    while (start := chain[0].start) is not None:
        try:
            earlier = store.get(start).spec
        except NotFoundError:
            raise StoreError(
                f"Run {start}, whose model this run continues, was deleted: it cannot be repeated."
            ) from None
        assert isinstance(earlier, UnlearnSpec)
        chain.insert(0, earlier)
    return chain
