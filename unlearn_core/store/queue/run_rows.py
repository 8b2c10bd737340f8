"""Single rows of the table of runs: insert, find, change, and write into the run's folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from unlearn_core.domain.errors import DamagedRunError, NotFoundError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import restore
from unlearn_core.store.queue import scheduling


def add(connection: Connection, row: dict[str, Any]) -> int:
    """Insert a run and return its number."""
    return connection.execute(insert(RUN).values(row).returning(RUN.c.id)).scalar_one()


def find(connection: Connection, run: int) -> Row[Any]:
    """Return the row of a run, whoever may read it. Raises NotFoundError."""
    row = connection.execute(select(RUN).where(RUN.c.id == run)).one_or_none()
    if row is None:
        raise NotFoundError("run", run, [])
    return row


def change(connection: Connection, run: int, **values: Any) -> None:
    """Change columns of a run."""
    connection.execute(update(RUN).where(RUN.c.id == run).values(**values))


def record(connection: Connection, data_dir: Path, run: int) -> None:
    """Write the row of a finished run into its folder, from which a lost database is restored."""
    try:
        found = rows.to_run(find(connection, run))
    except DamagedRunError:
        return
    if found.state is RunState.DONE and found.spec.kind not in (*scheduling.SEPARATE_KINDS, scheduling.MEASURE_KIND):
        restore.record(data_dir, found)


def models_only_of(connection: Connection, deleted: Sequence[Row[Any]]) -> list[str]:
    """Return the checksums of the models that only these deleted runs unlearned or were compared with."""
    found: list[str] = []
    for row in deleted:
        with suppress(ValueError):  # damaged
            weights = RunMetrics.from_json(row.headline).weights
            found += [weights] if weights and row.kind == UnlearnSpec.model_fields["kind"].default else []
    return [model for model in found if not _is_mentioned(connection, model)]


def _is_mentioned(connection: Connection, model: str) -> bool:
    """Return whether a run has this model, or is compared with it."""
    return connection.execute(select(RUN.c.id).where(RUN.c.headline.contains(model)).limit(1)).first() is not None
