"""The rates of finished jobs: how long an image took, under which load. Forecasts are made from them."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from unlearn_core.domain.run import RunState
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN

MOST = 30
"""The most recent jobs that count."""


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


def recent(connection: Connection, device: str, model: str, method: str | None) -> list[Rate]:
    """Return the rates of the newest jobs of a classifier, or of an architecture's trainings, on a device."""
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
