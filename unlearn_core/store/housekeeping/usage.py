"""Who uses what: the runs, classifiers and data sets of one owner that are also those of others, or that they use.

Such things, and runs that others joined, stay when their owner deletes everything, and belong to the others then.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from unlearn_core.data import user_catalog
from unlearn_core.domain.jobs import AnySpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.sweeps.sweep import Sweep, SweepSpec
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.owned_items import Item, needed_by
from unlearn_core.store.queue.run_store import RunStore

MOST_SWEEPS = 1_000_000


class Use(NamedTuple):
    """A job of somebody else, by its settings."""

    owner: str
    spec: AnySpec | SweepSpec


class SharedUse(NamedTuple):
    """What of an owner others use: runs with their next owner, and items with all whom they belong to then.

    `uses` are the jobs of the others, with the runs that go to them.
    """

    uses: Sequence[Use]
    runs: Mapping[int, str]
    items: Mapping[Item, frozenset[str]]


def shared_use(store: RunStore, all_runs: Sequence[Run], all_sweeps: Sequence[Sweep]) -> SharedUse:
    """Return what others use of whoever acts."""
    me = store.access.actor.id
    jobs: list[Run | Sweep] = [*all_runs, *all_sweeps]
    uses = [Use(job.owner, job.spec) for job in jobs if job.owner != me]
    own = {run.id: run for run in all_runs if run.owner == me}
    joined = store.belongings.joined_by_others()
    runs = joined | _continued(
        [*uses, *(Use(owner, own[run].spec) for run, owner in joined.items() if run in own)], own
    )
    uses += [Use(owner, own[run].spec) for run, owner in runs.items() if run in own]
    return SharedUse(uses, runs, _items(store, uses))


def everything_stored(store: RunStore) -> tuple[list[Run], list[Sweep]]:
    """Return all runs and sweeps of everybody that can be read."""
    everything = store.acting_as(OPERATOR)
    return everything.list_runs(limit=None), everything.sweeps.list_recent(limit=MOST_SWEEPS)


def _continued(uses: Iterable[Use], own: Mapping[int, Run]) -> dict[int, str]:
    """The own runs from which runs of others continue, perhaps through further own ones, with one of the others."""
    found: dict[int, str] = {}
    for use in uses:
        start = getattr(use.spec, "start", None)
        while isinstance(start, int) and start in own and start not in found:
            found[start] = use.owner
            start = getattr(own[start].spec, "start", None)
    return found


def _items(store: RunStore, uses: Sequence[Use]) -> dict[Item, frozenset[str]]:
    me, mine = store.access.actor.id, store.items.own()
    users: dict[Item, set[str]] = {item: owners - {me} for item, owners in mine.items()}
    for use in uses:
        for item in needed_by(use.spec):
            if item in users:
                users[item].add(use.owner)
    # A classifier that stays needs its data set, and so do those that others have trained on it.
    cards = user_catalog.classifier_cards(everything=True)
    for name, card in cards.items():
        item, dataset = Item("classifier", name), Item("dataset", card.dataset)
        if dataset in users:
            others = users[item] if item in users else store.items.owners(item)
            users[dataset] |= others
    return {item: frozenset(others) for item, others in users.items() if others}
