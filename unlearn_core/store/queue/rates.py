"""The rates of finished jobs: how long an image took, under which load. Forecasts are made from them."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from unlearn_core.domain.run import RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.database import Database
from unlearn_core.store.db.schema import RUN

MOST = 30
"""The most recent jobs that count."""
MOST_KNOWN = 200
"""The most questions whose answers are kept."""


class Rate(NamedTuple):
    """What a finished job says about the next: seconds per image that it planned to train on, and all other seconds.

    `method` is None for a training. `load` is the number of cores that other programs used meanwhile, None if unknown.
    `dataset` is the data set that the other seconds were spent on; they are None where they were not recorded.
    """

    method: str | None
    dataset: str
    seconds_per_image: float
    other_seconds: float | None
    load: float | None


class RecentRates:
    """The rates of one data folder, which are read again once another job is done. Threads can share an instance."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, str, str | None], tuple[Any, list[Rate]]] = {}

    def get(self, device: str, model: str, method: str | None) -> list[Rate]:
        """Return the rates of the newest jobs of a classifier, or of an architecture's trainings, on a device."""
        with self._database.reading() as connection:
            latest = select(func.max(RUN.c.finished)).scalar_subquery()
            done = select(func.count()).where(RUN.c.state == RunState.DONE).scalar_subquery()
            version, key = connection.execute(select(latest, done)).one(), (device, model, method)
            known = self._known.get(key)
            if known is None or known[0] != version:
                known = version, _recent(connection, *key)
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[key] = known
            return known[1]


def _recent(connection: Connection, device: str, model: str, method: str | None) -> list[Rate]:
    named = rows.mentions("classifier", model) | rows.mentions("architecture", model)
    wanted = select(RUN.c.kind, RUN.c.spec, RUN.c.headline).where(
        RUN.c.state == RunState.DONE, RUN.c.device == device, named, RUN.c.kind.in_(("unlearn", "gold", "train"))
    )
    wanted = wanted if method is None else wanted.where(rows.mentions("method", method))
    latest = connection.execute(wanted.order_by(RUN.c.id.desc()).limit(MOST)).all()
    found = (_rate_of(row, model) for row in latest)
    return [rate for rate in found if rate is not None and method in (None, rate.method)]


def _rate_of(row: Any, model: str) -> Rate | None:
    """The rate of a row; None if it is of another model, or cannot be read."""
    try:
        spec = json.loads(row.spec)
        own = spec["architecture"] if row.kind == "train" else spec["request"]["classifier"]
        return _rate(spec, json.loads(row.headline)) if own == model else None
    except (ValueError, LookupError, TypeError):
        return None


def _rate(spec: dict[str, Any], metrics: dict[str, Any]) -> Rate | None:
    """The rate of a job; None for one of a stack, or where nothing was trained."""
    if not metrics.get("seconds_per_picture"):
        return None
    per_image: float = metrics["seconds_per_picture"]
    seconds: dict[str, float | None] = metrics.get("seconds") or {}
    other, planned = None, metrics.get("planned_images")
    unlearning, total = seconds.get("forget"), seconds.get("total")
    if unlearning is not None and total is not None:
        per_image = unlearning / planned if planned else per_image
        other = max(0.0, total - unlearning)
    dataset = spec["dataset"] if "dataset" in spec else spec["request"]["dataset"]
    return Rate(spec.get("method"), dataset, per_image, other, metrics.get("load"))
