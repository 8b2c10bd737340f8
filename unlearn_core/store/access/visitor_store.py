"""Visitors: the names that they gave, and the codes with which they go on in another browser."""

import hashlib
import secrets
import time
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from unlearn_core.domain.errors import InvalidCodeError
from unlearn_core.settings import is_sign_in_required
from unlearn_core.store.access import labels
from unlearn_core.store.access.actor import Actor, actor_of
from unlearn_core.store.access.rules import Access
from unlearn_core.store.class_boards import LETTERS
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import MOVE_CODE, RUN, VISITOR, WRONG_CODE

CODE_MINUTES = 10
"""Minutes for which a code can be used."""
CODE_LENGTH = 8
"""Letters of a code: 40 bits."""
MOST_GUESSES = 20
"""Wrong codes a minute, of all visitors together, after which no code is taken for a while."""


class Visitor(NamedTuple):
    """Somebody who owns runs or gave a name."""

    id: str
    name: str
    runs: int


class Visitors:
    """The visitors of one data folder."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def name(self) -> str:
        """Return the name of whoever acts."""
        return self.labels([self._access.actor.id])[self._access.actor.id]

    def labels(self, owners: Iterable[str]) -> dict[str, str]:
        """Return the names of owners by id."""
        with self._database.reading() as connection:
            return labels.owner_labels(connection, owners)

    def rename(self, name: str) -> str:
        """Give whoever acts a name, "" for the usual one, and return it."""
        own, values = VISITOR.c.id == self._access.actor.id, {"name": labels.clean_name(name)}
        with self._database.writing() as connection:
            if not connection.execute(update(VISITOR).where(own).values(values)).rowcount:
                row = values | {"id": self._access.actor.id, "created": time.time()}
                connection.execute(insert(VISITOR).values(row))
            return labels.owner_label(connection, self._access.actor.id)

    def make_code(self, owner: str | None = None) -> str:
        """Return a new code for whoever acts, which replaces an earlier one: "K7QP-2XWB".

        The operator can make one for any owner. Raises InvalidCodeError where people sign in.
        """
        _require_codes()
        owner, code = self._access.owner(owner), "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        row = {"digest": _digest(code), "owner": owner, "expires": time.time() + 60 * CODE_MINUTES}
        with self._database.writing() as connection:
            connection.execute(delete(MOVE_CODE).where(MOVE_CODE.c.owner == owner))
            connection.execute(insert(MOVE_CODE).values(row))
        return f"{code[:4]}-{code[4:]}"

    def redeem(self, code: str) -> Actor:
        """Return whose code this is, which cannot be used again. Raises InvalidCodeError."""
        _require_codes()
        now = time.time()
        with self._database.writing() as connection:
            found = _take(connection, _digest(code), now)
        if found is None:
            raise InvalidCodeError(
                f"This code is not known: it may be mistyped, used already, or older than {CODE_MINUTES} minutes. "
                "Make a new one in the other browser."
            )
        return actor_of(found)

    def list(self) -> list[Visitor]:
        """Return everybody who owns runs or gave a name, those with the most runs first. Only for the operator."""
        self._access.require_operator()
        counted = select(RUN.c.owner, func.count().label("runs")).group_by(RUN.c.owner)
        with self._database.reading() as connection:
            runs = {row.owner: row.runs for row in connection.execute(counted)}
            ids = runs.keys() | set(connection.execute(select(VISITOR.c.id)).scalars())
            called = labels.owner_labels(connection, ids)
        found = (Visitor(owner, called[owner], runs.get(owner, 0)) for owner in ids)
        return sorted(found, key=lambda one: (-one.runs, one.name, one.id))


def _require_codes() -> None:
    """Raise InvalidCodeError where a code would let somebody pass for another person."""
    if is_sign_in_required():
        raise InvalidCodeError("People sign in to this lab with their accounts, in any browser: there are no codes.")


def _take(connection: Connection, digest: str, now: float) -> str | None:
    """The owner of a code, which is used up; None if it is wrong, which is counted."""
    connection.execute(delete(WRONG_CODE).where(WRONG_CODE.c.tried < now - 60))
    if connection.execute(select(func.count()).select_from(WRONG_CODE)).scalar_one() >= MOST_GUESSES:
        raise InvalidCodeError("Too many wrong codes were tried just now. Wait a minute, then try again.")
    used = delete(MOVE_CODE).where(MOVE_CODE.c.digest == digest).returning(MOVE_CODE.c.owner, MOVE_CODE.c.expires)
    row = connection.execute(used).first()
    if row is not None and row.expires >= now:
        return row.owner
    connection.execute(insert(WRONG_CODE).values(tried=now))
    return None


def _digest(code: str) -> str:
    plain = "".join(letter for letter in code[:40].upper() if letter in LETTERS)
    return hashlib.sha256(plain.encode()).hexdigest()
