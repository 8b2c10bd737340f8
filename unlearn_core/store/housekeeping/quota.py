"""How much disk a visitor may take with uploads, and with the data sets and classifiers that were made of them."""

from unlearn_core.domain.errors import QuotaExceededError
from unlearn_core.domain.run import UNFINISHED_STATES
from unlearn_core.settings import limit_hint, settings
from unlearn_core.store.access import owned_items
from unlearn_core.store.housekeeping.footprint import megabytes, size, upload_paths
from unlearn_core.store.queue.run_store import RunStore

GB = 1_000_000_000


def check_upload(store: RunStore, incoming: int) -> None:
    """Raise QuotaExceededError if whoever acts would have more than they may with an upload of so many bytes.

    The operator and administrators have no quota.
    """
    most = settings().most_visitor_gb * GB
    if store.access.actor.is_operator:
        return
    taken = uploaded_bytes(store)
    if taken + incoming <= most:
        return
    raise QuotaExceededError(
        f"Your uploads, data sets and classifiers take {megabytes(taken)}, this file has {megabytes(incoming)}, and "
        f"each visitor may have {megabytes(most)}: {megabytes(taken + incoming - most)} too much. Remove a data set or "
        f"a classifier of yours first, also from the trash. {limit_hint('most_visitor_gb')}"
    )


def uploaded_bytes(store: RunStore) -> int:
    """Return the bytes of the data sets and classifiers of whoever acts, and of their uploads that wait for a run."""
    cards = (card for item in store.items.own() for card in owned_items.cards(store.data_dir, item))
    me = store.access.actor.id
    waiting = store.list_runs(kinds=("import",), states=UNFINISHED_STATES, owner=me, limit=None)
    waiting += store.list_runs(kinds=("add",), owner=me, limit=None)  # a checkpoint stays for a day
    uploads = set(upload_paths(store.data_dir, (run.spec for run in waiting)))
    return sum(size(card.parent) for card in cards) + sum(map(size, uploads))
