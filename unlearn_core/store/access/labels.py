"""The names of visitors: the one that they gave, else one that is made from their id."""

from collections.abc import Iterable

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from unlearn_core.domain.jobs import DisplayName
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.db.schema import VISITOR

MAX_LENGTH = 40
"""The most characters of a visitor's name."""

_NAME: TypeAdapter[str] = TypeAdapter(DisplayName)


def clean_name(text: str) -> str:
    """Return a name as it is stored: without invisible characters, in one line, not too long."""
    return _NAME.validate_python(text)[:MAX_LENGTH].strip()


def usual_name(owner: str) -> str:
    """Return the name of a visitor who gave none: "Visitor 3F2A"."""
    return "Operator" if owner == OPERATOR.id else f"Visitor {owner.rpartition('-')[2][:4].upper()}"


def owner_labels(connection: Connection, owners: Iterable[str]) -> dict[str, str]:
    """Return the names of owners by id."""
    ids = list(owners)
    given = connection.execute(select(VISITOR.c.id, VISITOR.c.name).where(VISITOR.c.id.in_(ids), VISITOR.c.name != ""))
    return {owner: usual_name(owner) for owner in ids} | {row.id: row.name for row in given}


def owner_label(connection: Connection, owner: str) -> str:
    """Return the name of one owner."""
    return owner_labels(connection, [owner])[owner]
