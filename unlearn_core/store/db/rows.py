"""Between the rows of the tables and the values of the domain."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row

from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import (
    SPEC_ADAPTER,
    AddCheckpointSpec,
    ExplainSpec,
    ImportDatasetSpec,
    MeasureSpec,
    TrainGoldSpec,
    TrainSpec,
    UnlearnSpec,
)
from unlearn_core.domain.run import CurvePoint, Priority, Progress, Run, RunState
from unlearn_core.store.db.schema import RUN

AnySpec = UnlearnSpec | TrainGoldSpec | MeasureSpec | ImportDatasetSpec | TrainSpec | AddCheckpointSpec | ExplainSpec


def new_row(spec: AnySpec, *, title: str, owner: str, priority: Priority, now: float) -> dict[str, Any]:
    """The row of a run that nobody has touched yet."""
    concerns = spec.request if isinstance(spec, UnlearnSpec | TrainGoldSpec) else None
    return {
        "kind": spec.kind,
        "spec": SPEC_ADAPTER.dump_json(spec).decode(),
        "request": fingerprint(concerns) if concerns else None,
        "about": spec.run if isinstance(spec, MeasureSpec | ExplainSpec) else None,
        "title": title,
        "state": RunState.QUEUED,
        "owner": owner,
        "priority": int(priority),
        "note": "",
        "attempt": 0,
        "deaths": 0,
        "created": now,
        "headline": "{}",
        "cancelling": False,
    }


def done(run: Run) -> dict[str, Any]:
    """The row of a finished run that is known already, with its number."""
    fresh = new_row(run.spec, title=run.title, owner=run.owner, priority=run.priority, now=run.created.timestamp())
    kept = run.model_dump(include={"id", "state", "group", "parent", "note", "device", "attempt"})
    moments = {name: _seconds(getattr(run, name)) for name in ("started", "finished")}
    return fresh | kept | moments | {"headline": json.dumps(run.headline)}


def mentions_classifier(classifier: str) -> ColumnElement[bool]:
    """Whether a row's spec names that classifier; SQLite takes large and small letters for the same."""
    named = f'"classifier":{json.dumps(classifier, ensure_ascii=False)}'
    return RUN.c.spec.contains(named, autoescape=True)


def to_run(row: Row) -> Run:
    """The run that a whole row of the table describes."""
    values = {name: row._mapping[column] for name, column in _COLUMNS.items()}
    return Run.model_validate(
        values
        | {name: _to_datetime(values[name]) for name in ("created", "started", "finished")}
        | {"spec": json.loads(row.spec), "headline": json.loads(row.headline)}
        | {"progress": json.loads(row.progress) if row.progress else None}
    )


def dump_progress(value: Progress) -> str:
    """Progress as the column keeps it: the fields in their order."""
    return json.dumps(value)


def to_curve_point(row: Row) -> CurvePoint:
    """The point of a curve that a row (step, seconds, phase, forget, retain) describes."""
    forget, retain = (math.nan if value is None else value for value in (row.forget, row.retain))
    return CurvePoint(row.step, row.seconds, row.phase, forget, retain)


_COLUMNS = {name: RUN.c[name] for name in Run.model_fields}


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _to_datetime(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
