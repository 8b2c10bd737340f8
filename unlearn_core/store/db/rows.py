"""Conversion between table rows and domain objects."""

import json
import math
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, true

from unlearn_core.domain.errors import DamagedRunError
from unlearn_core.domain.forget_request import fingerprint
from unlearn_core.domain.jobs import (
    SPEC_ADAPTER,
    AnySpec,
    ExplainSpec,
    MeasureSpec,
    TrainGoldSpec,
    UnlearnSpec,
)
from unlearn_core.domain.run import CurvePoint, Priority, Progress, Run, RunFilter, RunState, Silence
from unlearn_core.store.db.schema import READER, RUN


def new_row(spec: AnySpec, *, title: str, owner: str, priority: Priority, now: float) -> dict[str, Any]:
    """Return the row of a new queued run."""
    request = spec.request if isinstance(spec, UnlearnSpec | TrainGoldSpec) else None
    return {
        "kind": spec.kind,
        "spec": SPEC_ADAPTER.dump_json(spec).decode(),
        "request": fingerprint(request) if request else None,
        "about": spec.run if isinstance(spec, MeasureSpec | ExplainSpec) else None,
        "title": title,
        "state": RunState.QUEUED,
        "owner": owner,
        "priority": int(priority),
        "note": "",
        "attempt": 0,
        "deaths": 0,
        "losses": 0,
        "created": now,
        "headline": "{}",
        "cancelling": False,
        "shared": False,
        "pinned": False,
    }


def finished_row(run: Run) -> dict[str, Any]:
    """Return the row of a finished run with its number, to restore it."""
    fresh = new_row(run.spec, title=run.title, owner=run.owner, priority=run.priority, now=run.created.timestamp())
    fields = run.model_dump(include={"id", "state", "group", "parent", "note", "device", "attempt", "shared", "pinned"})
    times = {name: _seconds(getattr(run, name)) for name in ("started", "finished")}
    return fresh | fields | times | {"headline": run.metrics.to_json()}


def mentions(field: str, value: str) -> ColumnElement[bool]:
    """Whether a row's spec, stored as compact JSON, has a field with that text; SQLite ignores case."""
    text = f'"{field}":{json.dumps(value, ensure_ascii=False)}'
    return RUN.c.spec.contains(text, autoescape=True)


def conditions(run_filter: RunFilter, *, notes_of: str | None = None) -> list[ColumnElement[bool]]:
    """What the rows of a filter's runs have in common; words are sought in the notes of one owner only, if given."""
    readable = true() if notes_of is None else RUN.c.owner == notes_of
    found = [
        or_(RUN.c.title.icontains(word, autoescape=True), RUN.c.note.icontains(word, autoescape=True) & readable)
        for word in run_filter.text.split()
    ]
    found += [RUN.c.state.in_(run_filter.states)] if run_filter.states else []
    found += [belongs_to(run_filter.owners)] if run_filter.owners else []
    for field, ids in (("method", run_filter.methods), ("classifier", run_filter.classifiers)):
        found += [or_(*(mentions(field, name) for name in ids))] if ids else []
    return found


def belongs_to(visitors: Collection[str]) -> ColumnElement[bool]:
    """Which runs are for some of these visitors: they own or joined them."""
    return or_(RUN.c.owner.in_(visitors), RUN.c.id.in_(select(READER.c.run).where(READER.c.visitor.in_(visitors))))


def to_run(row: Row[Any]) -> Run:
    """Return the run of a complete table row. Raises DamagedRunError if its values cannot be read."""
    try:
        values = {name: getattr(row, name) for name in _COLUMNS}
        return Run.model_validate(
            values
            | {name: _to_datetime(values[name]) for name in ("created", "started", "finished")}
            | {"spec": json.loads(row.spec), "headline": json.loads(row.headline)}
            | {name: json.loads(values[name]) if values[name] else None for name in ("progress", "silence")}
        )
    except (ValueError, TypeError, OverflowError) as problem:
        raise DamagedRunError(row.id, type(problem).__name__) from None


def to_runs(found: Iterable[Row[Any]]) -> list[Run]:
    """Return the runs of complete rows without those that are damaged: one of them must not hide the others."""
    runs: list[Run] = []
    for row in found:
        with suppress(DamagedRunError):
            runs.append(to_run(row))
    return runs


def damaged(found: Iterable[Row[Any]]) -> list[int]:
    """Return the numbers of the rows that cannot be read."""
    numbers: list[int] = []
    for row in found:
        try:
            to_run(row)
        except DamagedRunError:
            numbers.append(row.id)
    return numbers


def dump_fields(value: Progress | Silence) -> str:
    """Return progress or silence as stored in its column: the fields in order."""
    return json.dumps(value)


def to_curve_point(row: Row[Any]) -> CurvePoint:
    """Return the curve point of a row (step, seconds, phase, forget, retain)."""
    forget, retain = (math.nan if value is None else value for value in (row.forget, row.retain))
    return CurvePoint(row.step, row.seconds, row.phase, forget, retain)


_COLUMNS = [field.alias or key for key, field in Run.model_fields.items()]


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _to_datetime(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
