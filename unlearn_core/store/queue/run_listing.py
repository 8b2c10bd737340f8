"""The history as a list: all runs in brief, quickly for thousands of them, and the whole of those that are shown."""

import json
from collections.abc import Collection, Iterable
from copy import copy
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, func, select

from unlearn_core.domain.run import ALL_RUNS, Run, RunBrief, RunFilter, RunState
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN

_COLUMNS = (
    *(RUN.c[name] for name in ("id", "title", "state", "owner", "group", "parent")),
    func.coalesce(RUN.c.finished, RUN.c.started, RUN.c.created),
)
"""The fields of RunBrief, but for those that the spec tells."""
_STATES = {state.value: state for state in RunState}


class _Subject(NamedTuple):
    """What a run's spec says that the list needs. A spec never changes, and no id is used twice."""

    method: str | None
    classifier: str | None
    seed: int


class RunListing:
    """The runs of one data folder as a list. Threads can share an instance."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access
        self._subjects: dict[int, _Subject] = {}

    def acting_as(self, access: Access) -> Self:
        """Return this list as somebody may read it; what was read of specs is shared."""
        view = copy(self)
        view._access = access
        return view

    def has_any(self, *, kinds: Collection[str], states: Collection[RunState] = ()) -> bool:
        """Return whether there is a run of these kinds, optionally only of some states; even a damaged one counts."""
        wanted = select(RUN.c.id).where(RUN.c.kind.in_(kinds), self._access.listed(RUN))
        wanted = wanted.where(RUN.c.state.in_(states)) if states else wanted
        with self._database.reading() as connection:
            return connection.execute(wanted.limit(1)).first() is not None

    def briefs(
        self, *, kinds: Collection[str], matching: RunFilter = ALL_RUNS, limit: int | None = None
    ) -> list[RunBrief]:
        """Return the runs of these kinds that match, newest first. Each spec is read once, results never."""
        matches = rows.conditions(matching, notes_of=self._access.notes_of)
        is_mine = rows.belongs_to([self._access.actor.id])
        wanted = select(*_COLUMNS, is_mine).where(RUN.c.kind.in_(kinds), *matches, self._access.listed(RUN))
        wanted = wanted.order_by(RUN.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            found = [tuple(row) for row in connection.execute(wanted).all()]
            self._read_subjects(connection, {row[0] for row in found} - self._subjects.keys())
        return [
            RunBrief._make((run, title, _STATES[state], *others, *self._subjects[run], bool(is_mine)))
            for run, title, state, *others, is_mine in found
        ]

    def runs(self, ids: Iterable[int]) -> dict[int, Run]:
        """Return these runs by id, as far as they still exist."""
        with self._database.reading() as connection:
            found = connection.execute(select(RUN).where(RUN.c.id.in_(list(ids)), self._access.readable(RUN))).all()
        return {run.id: self._access.seen(run) for run in rows.to_runs(found)}

    def _read_subjects(self, connection: Connection, new: set[int]) -> None:
        if new:
            wanted = select(RUN.c.id, RUN.c.spec).where(RUN.c.id.between(min(new), max(new)))
            self._subjects |= {run: _subject(spec) for run, spec in connection.execute(wanted).all()}


def _subject(text: str) -> _Subject:
    try:
        spec: dict[str, Any] = json.loads(text)
    except ValueError:  # a damaged run is listed by its title; its own page says what is wrong with it
        spec = {}
    return _Subject(spec.get("method"), spec.get("request", {}).get("classifier"), spec.get("seed", 0))
