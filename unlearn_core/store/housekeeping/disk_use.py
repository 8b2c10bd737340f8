"""What costs disk: the files of a data folder by kind, and by owner what nobody else needs.

It is measured by a worker at rest or on the command line, and kept in a file: no page walks through the folders.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.store.access.actor import actor_of
from unlearn_core.store.files.error_report import FOLDER
from unlearn_core.store.files.log_file import LOG_FILE
from unlearn_core.store.housekeeping import footprint as kinds
from unlearn_core.store.housekeeping.footprint import Amount, footprint
from unlearn_core.store.housekeeping.usage import everything_stored
from unlearn_core.store.queue.run_store import RunStore

FILE = "disk-use.json"
DOWNLOADS, DATABASE, COPIES = "downloads of public data sets", "database", "copies of the database from upgrades"
LOGS, OTHERS = "log and bug reports", "other files"

_FOLDERS: Mapping[str, tuple[str, int]] = {
    "runs": (kinds.RUNS, 2),
    "trained/golds": (kinds.GOLDS, 3),
    "trained/crowds": (kinds.ENSEMBLES, 5),
    "trained/.making": (kinds.TRAININGS, 3),
    "trained/.uploads": (kinds.UPLOADS, 3),
    "trained/.waiting": (kinds.CLASSIFIERS, 3),
    "trained": (kinds.CLASSIFIERS, 2),
    "datasets": (kinds.DATASETS, 2),
    "trash/datasets": (kinds.DATASETS, 3),
    "uploads": (kinds.UPLOADS, 2),
    "own-images": (kinds.UPLOADS, 2),
    "evaluations": (kinds.EVALUATIONS, 3),
    "requests": (kinds.LISTS, 2),
    "playground": (kinds.LISTS, 2),
    "downloads": (DOWNLOADS, 2),
    FOLDER: (LOGS, 2),
}
"""By folder, the kind of what is in it, and how many parts of a path make one thing; the first that fits counts."""


class DiskUse(NamedTuple):
    """What a data folder took when it was measured, in seconds since 1970."""

    measured: float
    kinds: Sequence[Amount]
    owners: Mapping[str, Sequence[Amount]]
    """What each owner would free by deleting everything; the rest is used by several, or by nobody in particular."""

    @property
    def bytes(self) -> int:
        """All bytes of the data folder."""
        return sum(amount.bytes for amount in self.kinds)

    def owner_bytes(self, owner: str) -> int:
        """The bytes of an owner."""
        return sum(amount.bytes for amount in self.owners.get(owner, ()))


def measure(store: RunStore) -> DiskUse:
    """Measure what the data folder takes and keep the result. Raises NotAllowedError unless the operator acts."""
    store.access.require_operator()
    stored = everything_stored(store)
    owners = {job.owner for jobs in stored for job in jobs} | store.items.all_owners()
    by_owner = {owner: footprint(store.acting_as(actor_of(owner)), stored).amounts for owner in sorted(owners)}
    found = DiskUse(time.time(), _by_kind(store.data_dir), {owner: one for owner, one in by_owner.items() if one})
    _write(store.data_dir, found)
    return found


def last_measured(data_dir: Path) -> DiskUse | None:
    """Return what was measured last; None if nothing was, or the file is damaged."""
    try:
        measured, by_kind, owners = json.loads((data_dir / FILE).read_text())
        amounts = {owner: [Amount(*one) for one in own] for owner, own in owners.items()}
        return DiskUse(measured, [Amount(*one) for one in by_kind], amounts)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def remove_owner(data_dir: Path, owner: str) -> None:
    """Remove what was measured of an owner, who has nothing any more."""
    found = last_measured(data_dir)
    if found is not None and owner in found.owners:
        _write(data_dir, found._replace(owners={one: own for one, own in found.owners.items() if one != owner}))


def _write(data_dir: Path, found: DiskUse) -> None:
    atomic_write(data_dir / FILE, json.dumps(found).encode())


def _by_kind(data_dir: Path) -> list[Amount]:
    things: defaultdict[str, set[PurePath]] = defaultdict(set)
    taken: defaultdict[str, int] = defaultdict(int)
    for path in _files(data_dir):
        kind, thing = _kind(path.relative_to(data_dir))
        things[kind].add(thing)
        taken[kind] += kinds.size(path)
    found = [Amount(kind, len(things[kind]), number) for kind, number in taken.items()]
    return sorted(found, key=lambda amount: -amount.bytes)


def _kind(path: PurePath) -> tuple[str, PurePath]:
    """The kind of a file, by its path in the data folder, and the thing that it is a part of."""
    for folder, (kind, parts) in _FOLDERS.items():
        if path.is_relative_to(folder):
            return kind, PurePath(*path.parts[:parts])
    if path.name.startswith(LOG_FILE):
        return LOGS, path
    if ".before-" in path.name:
        return COPIES, path
    return (DATABASE, PurePath("lab.db")) if path.name.startswith("lab.db") else (OTHERS, path)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)
