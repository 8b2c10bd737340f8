"""Whom the classifiers and data sets belong to that users added.

The same training or import by two visitors makes one classifier or data set, which then belongs to both. What has no
owner on record was made by a former release or on the command line, and belongs to the operator.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select

from unlearn_core.data.user_catalog import CARD_FILE
from unlearn_core.domain.jobs import AnySpec, ImportDatasetSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.sweeps.sweep import SweepSpec
from unlearn_core.models.user_models import PENDING_FOLDER
from unlearn_core.store.access import readers
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.db.schema import ITEM

IMPORT_KIND = "import"
"""The kind of run that makes a data set; the others that name one only use it."""

Kind = Literal["classifier", "dataset"]
TITLES: dict[Kind, str] = {"classifier": "classifier", "dataset": "data set"}

_FOLDERS: dict[Kind, tuple[str, ...]] = {
    "classifier": ("trained", f"trained/{PENDING_FOLDER}"),
    "dataset": ("datasets", "trash/datasets"),
}


class Item(NamedTuple):
    """A classifier or data set, by its id."""

    kind: Kind
    name: str


def cards(data_dir: Path, item: Item) -> list[Path]:
    """Return where a user's classifier or data set is: in the catalog, waiting to be accepted, or in the trash."""
    parents = (data_dir / folder for folder in _FOLDERS[item.kind])
    return [card for folder in parents for card in folder.glob(f"*/{CARD_FILE}") if card.parent.name == item.name]


def present(data_dir: Path) -> list[Item]:
    """Return all classifiers and data sets that users added, also those that wait or are in the trash."""
    return [
        Item(kind, card.parent.name)
        for kind, folders in _FOLDERS.items()
        for folder in folders
        for card in sorted((data_dir / folder).glob(f"*/{CARD_FILE}"))
        if not card.parent.name.startswith(".")
    ]


def is_own(data_dir: Path, item: Item) -> bool:
    """Return whether a user added this; the name may come from anywhere."""
    return bool(cards(data_dir, item))


def needed_by(spec: AnySpec | SweepSpec) -> Iterator[Item]:
    """The classifiers and data sets that a job reads."""
    if isinstance(spec, ImportDatasetSpec):
        return
    for holder in (spec, getattr(spec, "request", None)):
        found: dict[str, Kind] = {"classifier": "classifier", "dataset": "dataset", "start": "classifier"}
        for field, kind in found.items():
            name = getattr(holder, field, None)
            if isinstance(name, str):
                yield Item(kind, name)


def owners(connection: Connection, item: Item) -> set[str]:
    """Return whom this belongs to."""
    return _recorded(connection, item) or {OPERATOR.id}


def owned_by(connection: Connection, owner: str) -> frozenset[Item]:
    """Return what belongs to an owner on record."""
    own = connection.execute(select(ITEM.c.kind, ITEM.c.name).where(ITEM.c.owner == owner))
    return frozenset(Item(row.kind, row.name) for row in own)


def record(connection: Connection, data_dir: Path, run: Row[Any], metrics: RunMetrics) -> None:
    """Record that what a run has made, by its row, belongs to all who wanted it, beside whom it belonged to before."""
    made: tuple[tuple[Kind, str | None], ...] = (
        ("classifier", metrics.classifier),
        ("dataset", metrics.dataset if run.kind == IMPORT_KIND else None),
    )
    for item in (Item(kind, name) for kind, name in made if name is not None):
        known = _recorded(connection, item)
        new = set(readers.of_run(connection, run))
        if not known and run.started and any(_is_older(card, run.started) for card in cards(data_dir, item)):
            new.add(OPERATOR.id)
        add_owners(connection, item, new)


def add_owners(connection: Connection, item: Item, new: Iterable[str]) -> None:
    """Record that this belongs to owners, beside whom it belonged to before."""
    for owner in set(new) - _recorded(connection, item):
        connection.execute(insert(ITEM).values(kind=item.kind, name=item.name, owner=owner))


def release(connection: Connection, item: Item, owner: str | None) -> None:
    """Record that this no longer belongs to an owner, or to nobody for None."""
    gone = delete(ITEM).where(ITEM.c.kind == item.kind, ITEM.c.name == item.name)
    connection.execute(gone if owner is None else gone.where(ITEM.c.owner == owner))


def _recorded(connection: Connection, item: Item) -> set[str]:
    wanted = select(ITEM.c.owner).where(ITEM.c.kind == item.kind, ITEM.c.name == item.name)
    return set(connection.execute(wanted).scalars())


def _is_older(card: Path, moment: float) -> bool:
    try:
        return card.stat().st_mtime < moment
    except FileNotFoundError:
        return False
