"""The rules of who may read and change what: every method of the store that a page can reach asks here.

| | their own | of others, if sharing is open | of others, if it is private |
|---|---|---|---|
| read | yes | yes | only what its owner shared |
| change, cancel, delete | yes | no | no |

A run that several visitors want is computed once: those who joined it read it, add measurements and leave it, as if it
were theirs. With private sharing, only runs of bundled classifiers and data sets are joined, without a name.

The operator may do everything. What an actor may not read does not exist for them: they get NotFoundError.
"""

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select, true

from unlearn_core.domain.errors import NotAllowedError, NotFoundError
from unlearn_core.domain.jobs import AnySpec, MeasureSpec
from unlearn_core.domain.run import Run
from unlearn_core.domain.sweeps.sweep import SweepSpec
from unlearn_core.settings import settings
from unlearn_core.store.access import labels, owned_items, readers
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN

IMPERSONAL_KINDS = ("points",)
"""Kinds of runs that hold nothing of a visitor: everybody gets the same frames of the same points."""


class Access(NamedTuple):
    """What an actor may read and change in a data folder."""

    actor: Actor
    data_dir: Path

    @property
    def reads_all(self) -> bool:
        """Whether this actor may read what others have made."""
        return self.actor.is_operator or settings().sharing == "open"

    def readable(self, table: Table) -> ColumnElement[bool]:
        """Which rows of the table of runs or sweeps this actor may read, given their number."""
        if self.reads_all or table is not RUN:
            return self.listed(table)
        return or_(self.listed(table), table.c.shared, table.c.kind.in_(IMPERSONAL_KINDS))

    def listed(self, table: Table) -> ColumnElement[bool]:
        """Which rows this actor finds without a link: none that others shared by a link."""
        if self.reads_all:
            return true()
        return rows.belongs_to([self.actor.id]) if table is RUN else table.c.owner == self.actor.id

    @property
    def notes_of(self) -> str | None:
        """Whose notes this actor may read; None for all."""
        return None if self.reads_all else self.actor.id

    def seen(self, run: Run) -> Run:
        """Return a run as this actor may see it: without the note of another, unless that is open or was shared."""
        is_private = bool(run.note) and not run.shared and self.notes_of not in (None, run.owner)
        return run.model_copy(update={"note": ""}) if is_private else run

    def may_change(self, owner: str) -> bool:
        """Return whether this actor may change what belongs to an owner."""
        return self.actor.is_operator or owner == self.actor.id

    def row(self, connection: Connection, table: Table, number: int) -> Row[Any]:
        """Return the row of a run or sweep, to read it. Raises NotFoundError."""
        row = connection.execute(select(table).where(table.c.id == number, self.readable(table))).one_or_none()
        if row is None:
            raise NotFoundError(table.name, number, [])
        return row

    def own_row(self, connection: Connection, table: Table, number: int) -> Row[Any]:
        """Return the row of a run or sweep, to change it. Raises NotFoundError and NotAllowedError."""
        row = self.row(connection, table, number)
        if not self.may_change(row.owner):
            raise NotAllowedError(f"{table.name.capitalize()} {number}", labels.owner_label(connection, row.owner))
        return row

    def joined_row(self, connection: Connection, run: int) -> Row[Any]:
        """Return the row of a run, to leave it or to add to it. Raises NotFoundError and NotAllowedError."""
        row = self.row(connection, RUN, run)
        if self.actor.id in readers.of_run(connection, row):
            return row
        return self.own_row(connection, RUN, run)

    def joinable(self, spec: AnySpec) -> ColumnElement[bool]:
        """Which runs of this spec may be joined: those that may be read, and those that tell nothing of anybody."""
        is_bundled = not any(owned_items.is_own(self.data_dir, item) for item in owned_items.needed_by(spec))
        is_of_run = any(isinstance(getattr(spec, name, None), int) for name in ("run", "start"))
        return true() if is_bundled and not is_of_run else self.readable(RUN)

    def owner(self, given: str | None) -> str:
        """Return whom a new run or sweep belongs to. Raises NotAllowedError: only the operator submits for others."""
        if given is not None and not self.may_change(given):
            raise NotAllowedError("The queue of another visitor", given)
        return self.actor.id if given is None else given

    def require_operator(self) -> None:
        """Raise NotAllowedError unless the operator acts, as workers do."""
        if not self.actor.is_operator:
            raise NotAllowedError("The work of a worker", "the operator")

    def check_spec(self, connection: Connection, spec: AnySpec | SweepSpec) -> None:
        """Check that this actor may read all that a job needs, and change the report that it adds to.

        Raises NotFoundError and NotAllowedError.
        """
        if self.actor.is_operator:
            return
        if isinstance(spec, MeasureSpec):
            self.joined_row(connection, spec.run)
        for number in (getattr(spec, "run", None), getattr(spec, "start", None)):
            if isinstance(number, int):
                self.row(connection, RUN, number)
        readable = self.readable_items(connection)
        for item in owned_items.needed_by(spec):
            if readable is not None and item not in readable and owned_items.is_own(self.data_dir, item):
                raise NotFoundError(owned_items.TITLES[item.kind], item.name, [])

    def readable_items(self, connection: Connection) -> frozenset[owned_items.Item] | None:
        """Return the classifiers and data sets of users that this actor may read; None for all."""
        return None if self.reads_all else owned_items.owned_by(connection, self.actor.id)
