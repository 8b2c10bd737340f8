"""The same run again: one that waits or runs is joined, and one that is done here answers at once."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import UNFINISHED_STATES, RunState
from unlearn_core.domain.sweeps.sweep import SWEEP_PREFIX
from unlearn_core.models import bundled_models
from unlearn_core.store.code_version import running_code
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue import clock, workers


def find_unfinished(connection: Connection, row: Mapping[str, Any], which: ColumnElement[bool]) -> Row[Any] | None:
    """Return the oldest run of these with the spec of a new row that waits or runs and is not being cancelled."""
    unfinished = RUN.c.state.in_(UNFINISHED_STATES) & RUN.c.cancelling.is_(False)
    wanted = select(RUN).where(unfinished, _same_spec(row), which).order_by(RUN.c.id)
    return connection.execute(wanted.limit(1)).first()


def find_finished(
    connection: Connection, data_dir: Path, spec: UnlearnSpec, row: Mapping[str, Any], which: ColumnElement[bool]
) -> Row[Any] | None:
    """Return the newest run of these with this spec whose result a new run would repeat; None if there is none.

    That is one of the same code, original weights and device; on a CPU also of the number of threads that the last run
    here had, since sums in another order differ in their last bits.
    """
    same = (RUN.c.state == RunState.DONE) & (RUN.c.request == row["request"]) & _same_spec(row)
    devices = {worker.device for worker in workers.list_alive(connection, clock.now())}
    threads = _last_threads(connection)
    originals = {one.weights for one in bundled_models.bundled(spec.request.classifier) if one.forget is None}
    for found in connection.execute(
        select(RUN).where(same, which, RUN.c.device.in_(devices)).order_by(RUN.c.id.desc())
    ):
        with suppress(ValueError):  # damaged
            metrics = RunMetrics.from_json(found.headline)
            same_start = spec.start is not None or metrics.evaluations.get("before") in originals
            same_machine = found.device != "cpu" or metrics.threads == threads
            has_report = artifacts.has_report(artifacts.run_dir(data_dir, found.id))
            if metrics.code == running_code() and same_start and same_machine and has_report:
                return found
    return None


def _same_spec(row: Mapping[str, Any]) -> ColumnElement[bool]:
    """The runs with the spec of a row. Trials of a sweep are its own: it may stop them early."""
    own = or_(RUN.c.group.is_(None), ~RUN.c.group.startswith(SWEEP_PREFIX))
    return (RUN.c.kind == row["kind"]) & (RUN.c.spec == row["spec"]) & own


def _last_threads(connection: Connection) -> int | None:
    """The threads of the last finished unlearning run on the CPU."""
    ended = (RUN.c.kind == UnlearnSpec.model_fields["kind"].default) & (RUN.c.state == RunState.DONE)
    wanted = select(RUN.c.headline).where(ended, RUN.c.device == "cpu").order_by(RUN.c.finished.desc()).limit(1)
    with suppress(ValueError, TypeError):
        return RunMetrics.from_json(connection.execute(wanted).scalar() or "").threads
    return None
