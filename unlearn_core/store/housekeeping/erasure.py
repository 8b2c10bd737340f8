"""Delete everything that is stored of an owner, but for what others own or use too.

Running jobs of the owner are cancelled first. Then runs go, and what only they needed; the log and the copies of the
database are cleared of them; and at last the database is written anew, so that no file of the data folder holds
anything of it. Files are deleted, and not overwritten: what a file system or a backup keeps of them is beyond this.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from unlearn_core.domain.errors import NotFoundError, StoreError
from unlearn_core.models import user_models
from unlearn_core.store import deletion
from unlearn_core.store.access import owned_items
from unlearn_core.store.access.owned_items import Item
from unlearn_core.store.db.compaction import delete_owner
from unlearn_core.store.files import artifacts
from unlearn_core.store.housekeeping import disk_use, log_lines, retention
from unlearn_core.store.housekeeping.footprint import Amount, Footprint, folders, footprint
from unlearn_core.store.queue.run_store import RunStore

PATIENCE = 30.0
"""Seconds to wait for cancelled runs to end; a worker kills what does not stop by itself within a few."""

NAME, LOG, BUG_REPORTS = "name and codes", "entries in the log", "bug reports"
COPIES = "rows in copies of the database that upgrades made"

_UNIQUE = re.compile(r"-[0-9a-f]{6}$")
"""How ids of own classifiers and data sets end; others are those of public data sets."""


class Erasure(NamedTuple):
    """What was deleted, and what stays, each as a sentence with the reason."""

    amounts: Sequence[Amount]
    staying: Sequence[str]


def erase(store: RunStore, *, patience: float = PATIENCE) -> Erasure:
    """Delete everything of whoever acts, and return what went.

    Raises StoreError if runs do not end in time, with nothing deleted, or if files cannot be deleted. Then it can be
    called again.
    """
    _end_jobs(store, patience)
    store.belongings.leave_joined()
    found = footprint(store)
    for run, owner in found.shared.runs.items():
        store.belongings.transfer(run, owner)
    for item, owners in found.shared.items.items():
        store.items.transfer(item, owners)
    files = [*(artifacts.run_dir(store.data_dir, run) for run in found.runs)]
    files += [path for item in found.items for path in folders(store.data_dir, item)]
    files += [path for paths in found.paths.values() for path in paths]
    _delete_rows(store, found)
    _delete_files(files)
    amounts = [*found.amounts, *_delete_traces(store, found.items)]
    return Erasure([one for one in amounts if one.number], found.staying)


def _end_jobs(store: RunStore, patience: float) -> None:
    for sweep in store.belongings.sweeps():
        store.sweeps.cancel(sweep)
    own = set(store.belongings.runs())
    for run in store.belongings.unfinished():
        if run in own:  # Others only ask about own runs, which takes about a second.
            store.cancel(run)
    store.belongings.await_end(patience)


def _delete_rows(store: RunStore, found: Footprint) -> None:
    for sweep in found.sweeps:
        store.sweeps.delete(sweep)
    for run in found.runs:
        with suppress(NotFoundError):  # a measurement, which went with its run
            store.delete(run)
    for item in found.items:
        _delete_item(store, item)


def _delete_item(store: RunStore, item: Item) -> None:
    """Delete a classifier or data set from wherever it is: the catalog, among those that wait, or the trash."""
    if item.kind == "classifier" and user_models.exists(item.name):
        deletion.delete_classifier(store, item.name)
        return
    store.items.require(item)
    _delete_files(card.parent for card in owned_items.cards(store.data_dir, item))
    store.items.release(item)


def _delete_files(paths: Iterable[Path]) -> None:
    """Delete files and folders. Raises StoreError with the first that cannot be deleted, after all others."""
    left: list[str] = []
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
        except OSError as problem:
            left.append(f"{path} ({problem.strerror})")
    if left:
        raise StoreError(
            f"{len(left)} files or folders could not be deleted, first {left[0]}. Make them writable for this user, "
            "then delete everything again."
        )


def _delete_traces(store: RunStore, items: Sequence[Item]) -> list[Amount]:
    """Delete what else mentions the owner: their name, in the log, in bug reports, and in copies of the database."""
    data_dir, owner = store.data_dir, store.access.actor.id
    named = store.belongings.forget_visitor()
    retention.remove_owner(data_dir, owner)
    disk_use.remove_owner(data_dir, owner)
    exists = store.belongings.existing()
    ids = [owner] * (not store.access.actor.is_local) + [one.name for one in items if _UNIQUE.search(one.name)]

    def is_gone(kind: str, number: int) -> bool:
        return number not in exists[kind]

    entries = log_lines.blank_log(data_dir, is_gone, ids)
    bug_reports = log_lines.delete_bug_reports(data_dir, is_gone, ids)
    try:
        copied = sum(delete_owner(copy, owner) for copy in data_dir.glob("*.before-*.db"))
    except sqlite3.Error as problem:
        raise StoreError(
            f"A copy of the database could not be changed ({problem}). Delete it, then try again."
        ) from None
    store.belongings.compact_database()
    counts = {NAME: int(named), LOG: entries, BUG_REPORTS: bug_reports, COPIES: copied}
    return [Amount(title, count, 0) for title, count in counts.items()]
