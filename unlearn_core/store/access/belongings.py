"""What whoever acts has in the database of a data folder, of whatever kind, and how it goes from there."""

import time

from sqlalchemy import delete, or_, select, update

from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import UNFINISHED_STATES, RunState
from unlearn_core.store.access import readers
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import MOVE_CODE, READER, RUN, SWEEP, VISITOR
from unlearn_core.store.files import artifacts, restore

POLL_SECONDS = 0.1


class Belongings:
    """What belongs to whoever acts; it never reads or changes what belongs to others."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access
        self._owner = access.actor.id

    def runs(self) -> list[int]:
        """Return the numbers of all own runs, of every kind; also of those that are damaged."""
        with self._database.reading() as connection:
            return list(connection.execute(select(RUN.c.id).where(RUN.c.owner == self._owner)).scalars())

    def sweeps(self) -> list[int]:
        """Return the numbers of all own sweeps."""
        with self._database.reading() as connection:
            return list(connection.execute(select(SWEEP.c.id).where(SWEEP.c.owner == self._owner)).scalars())

    def unfinished(self) -> list[int]:
        """Return the own runs that are queued or running, and the running ones of others that are about own runs."""
        own = RUN.c.owner == self._owner
        about = RUN.c.about.in_(select(RUN.c.id).where(own)) & (RUN.c.state == RunState.RUNNING)
        with self._database.reading() as connection:
            found = select(RUN.c.id).where(or_(own & RUN.c.state.in_(UNFINISHED_STATES), about)).order_by(RUN.c.id)
            return list(connection.execute(found).scalars())

    def existing(self) -> dict[str, set[int]]:
        """Return the numbers of the runs and sweeps of everybody, as "run" and "sweep"."""
        with self._database.reading() as connection:
            return {table.name: set(connection.execute(select(table.c.id)).scalars()) for table in (RUN, SWEEP)}

    def all_pinned(self) -> set[int]:
        """Return the numbers of the pinned runs of everybody."""
        with self._database.reading() as connection:
            return set(connection.execute(select(RUN.c.id).where(RUN.c.pinned)).scalars())

    def await_end(self, seconds: float) -> None:
        """Wait until none of `unfinished` is left. Raises StoreError if that takes longer than so many seconds."""
        end = time.monotonic() + seconds
        while running := self.unfinished():
            if time.monotonic() > end:
                numbers = ", ".join(map(str, running[:5])) + (" and others" if len(running) > 5 else "")
                raise StoreError(
                    f"Not all runs have ended within {seconds:g} s of being cancelled ({numbers}), so nothing was "
                    "deleted yet. Try again in a minute."
                )
            time.sleep(POLL_SECONDS)

    def joined_by_others(self) -> dict[int, str]:
        """Return the own runs that others joined, with the one whom each belongs to next."""
        joined = select(READER.c.run).where(READER.c.visitor != self._owner)
        wanted = select(RUN).where(RUN.c.owner == self._owner, RUN.c.id.in_(joined))
        with self._database.reading() as connection:
            return {row.id: readers.of_run(connection, row)[1] for row in connection.execute(wanted).all()}

    def leave_joined(self) -> None:
        """Leave the runs of others that whoever acts joined."""
        joined = select(READER.c.run).where(READER.c.visitor == self._owner)
        wanted = select(RUN).where(RUN.c.owner != self._owner, RUN.c.id.in_(joined))
        with self._database.writing() as connection:
            for row in connection.execute(wanted).all():
                readers.leave(connection, row, self._owner)

    def transfer(self, run: int, owner: str) -> None:
        """Give an own run to another owner, without its note. Raises NotFoundError and NotAllowedError."""
        with self._database.writing() as connection:
            row = self._access.own_row(connection, RUN, run)
            if not readers.leave(connection, row, self._owner):
                connection.execute(update(RUN).where(RUN.c.id == run).values(owner=owner, note=""))
            row = connection.execute(select(RUN).where(RUN.c.id == run)).one()
        if (artifacts.run_dir(self._access.data_dir, run) / restore.RECORD).exists():
            restore.record(self._access.data_dir, rows.to_run(row))

    def forget_visitor(self) -> bool:
        """Delete the name and the codes of whoever acts; return whether there was a name."""
        with self._database.writing() as connection:
            connection.execute(delete(MOVE_CODE).where(MOVE_CODE.c.owner == self._owner))
            return bool(connection.execute(delete(VISITOR).where(VISITOR.c.id == self._owner)).rowcount)

    def compact_database(self) -> None:
        """Rewrite the database, so that its files have nothing any more of rows that were deleted."""
        self._database.compact()
