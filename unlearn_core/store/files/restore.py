"""Restore runs from their folders into a database that was lost or replaced by an old copy.

A run is restored if its folder has a greater number than the database ever assigned. Finished runs are restored; all
other folders stay as they are, and their numbers are not assigned again.
"""

import json
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import forget_set_title
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics, summary_metrics
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.domain.sweeps.sweep import sweep_id
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts

RECORD = "run.json"
"""The file in the folder of a finished run that holds its database row."""

NOTICE = "restored.txt"
"""The file in the data folder that says what was restored, until the notice is dismissed."""

_logger = logging.getLogger(__name__)


def record(data_dir: Path, run: Run) -> None:
    """Write a finished run beside its report, so that the database can be restored from the folder."""
    folder = artifacts.run_dir(data_dir, run.id)
    with artifacts.writable(folder):
        atomic_write(folder / RECORD, run.model_dump_json(indent=1, by_alias=True).encode())


def is_behind(connection: Connection, data_dir: Path) -> bool:
    """Return whether there are folders of runs that are not in the database."""
    return bool(_newer(connection, data_dir))


def restore(connection: Connection, data_dir: Path) -> None:
    """Insert the finished runs whose folders are newer than the database, and continue numbering after the last folder.

    The caller holds the database exclusively, so this happens once.
    """
    numbers = _newer(connection, data_dir)
    if not numbers:
        return
    was_empty = _last(connection) == 0
    found = {number: read_run(artifacts.run_dir(data_dir, number), number) for number in numbers}
    known_ids = set(connection.execute(select(RUN.c.id)).scalars())
    runs = [run for run in found.values() if run is not None]
    for run in runs:
        changes = {} if run.parent in known_ids else {"parent": None}
        # A new sweep may get the number of a lost one, and must not inherit its trials.
        changes |= {} if sweep_id(run.group) is None else {"group": None}
        connection.execute(insert(RUN).values(rows.finished_row(run) | changes))
        known_ids.add(run.id)
    _count_from(connection, numbers[-1])
    unreadable = [number for number, run in found.items() if run is None and _had_report(data_dir, number)]
    if runs or unreadable:
        message = _notice_text(runs, unreadable, was_empty=was_empty)
        _logger.warning(message)
        with artifacts.writable(data_dir):
            atomic_write(data_dir / NOTICE, message.encode())


def notice(data_dir: Path) -> str:
    """Return the notice of what was restored in this data folder; "" if there is none or it was dismissed."""
    try:
        return (data_dir / NOTICE).read_text()
    except FileNotFoundError:
        return ""


def dismiss(data_dir: Path) -> None:
    """Delete the notice."""
    (data_dir / NOTICE).unlink(missing_ok=True)


def _newer(connection: Connection, data_dir: Path) -> list[int]:
    """Return the numbers of folders above any that the database has assigned, ascending."""
    last = _last(connection)
    names = (path.name for path in (data_dir / "runs").glob("*"))
    return sorted(number for name in names if re.fullmatch("[1-9][0-9]{0,8}", name) and (number := int(name)) > last)


def _last(connection: Connection) -> int:
    """Return the greatest number that the database has assigned to a run, deleted or not."""
    query = {
        "sqlite": "SELECT max(seq) FROM sqlite_sequence WHERE name = 'run'",
        "postgresql": "SELECT pg_sequence_last_value(pg_get_serial_sequence('run', 'id'))",
    }.get(connection.dialect.name, "SELECT max(id) FROM run")
    return connection.execute(text(query)).scalar() or 0


def _count_from(connection: Connection, last: int) -> None:
    """Make the next run get a greater number than this one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval(pg_get_serial_sequence('run', 'id'), :last)"), {"last": last})
    elif connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'run'"))
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('run', :last)"), {"last": last})


def read_run(folder: Path, number: int) -> Run | None:
    """Return the finished run in a folder; None if none can be read."""
    recorded = read_record(folder)
    if recorded is None or isinstance(recorded.spec, UnlearnSpec):
        reported = _reported(folder, number)
        recorded = reported if recorded is None or reported is None else recorded
    return None if recorded is None else recorded.model_copy(update={"id": number})


def _had_report(data_dir: Path, number: int) -> bool:
    """Return whether a folder is of a finished run; Grad-CAM queries and failed runs leave only parts or weights."""
    folder = artifacts.run_dir(data_dir, number)
    return (folder / RECORD).exists() or (artifacts.has_report(folder) and not _is_pending(folder))


def _is_pending(folder: Path) -> bool:
    """Return whether a report is not complete, because its run did not finish."""
    try:
        return bool(json.loads((folder / artifacts.REPORT_FILE).read_bytes()).get("pending"))
    except artifacts.UNREADABLE:
        return False


def read_record(folder: Path) -> Run | None:
    """Return the database row that a folder holds; None if there is none that can be read."""
    try:
        return Run.model_validate_json((folder / RECORD).read_bytes())
    except artifacts.UNREADABLE:
        return None


def _reported(folder: Path, number: int) -> Run | None:
    """Return the run as far as its report describes it, for a folder written by an older release."""
    if _is_pending(folder):
        return None
    try:
        head = json.loads((folder / artifacts.REPORT_FILE).read_bytes())
        spec, dataset = UnlearnSpec.model_validate(head["spec"]), DatasetCard.model_validate(head["dataset"])
        accuracy = artifacts.read_result(folder, AccuracyResult)
        if accuracy is None:
            return None
        timings = artifacts.read_result(folder, TimingsResult)
        if timings is None:
            started = finished = datetime.fromtimestamp((folder / artifacts.REPORT_FILE).stat().st_mtime, UTC)
        else:
            started = datetime.fromisoformat(timings.started)
            finished = started + timedelta(seconds=timings.seconds.total)
        metrics = summary_metrics(
            head["evaluations"],
            accuracy,
            artifacts.read_result(folder, DistanceResult),
            artifacts.read_result(folder, MembershipResult),
        ).updated(RunMetrics(weights=head["evaluations"]["after"]))
        tuning = artifacts.read_result(folder, TuningResult)
        if tuning is not None:
            metrics = metrics.updated(RunMetrics(found=tuning.params))
        if timings is not None:
            metrics = metrics.updated(RunMetrics(seconds=JobSeconds(**timings.seconds.model_dump(exclude_unset=True))))
        return Run(
            id=number,
            spec=spec,
            title=f"Forget {forget_set_title(spec, dataset)} with {head['method']}",
            state=RunState.DONE,
            owner="local",
            priority=Priority.INTERACTIVE,
            group=None,
            parent=None,
            note="",
            device=None,
            attempt=1,
            created=started,
            started=started,
            finished=finished,
            error=None,
            progress=None,
            metrics=metrics,
            cancelling=False,
        )
    except artifacts.UNREADABLE:
        return None


def _notice_text(runs: Sequence[Run], unreadable: Sequence[int], *, was_empty: bool) -> str:
    one = len(runs) == 1
    restored = "1 run was restored from its folder" if one else f"{len(runs)} runs were restored from their folders"
    sentences = [
        f"The run database was {'missing' if was_empty else 'older than the folders of the runs'}.",
        f"{restored}; cancelled and failed runs without a report could not be restored.",
    ]
    if any(sweep_id(run.group) is not None for run in runs):
        sentences.append("The trials of sweeps are now ordinary runs.")
    if unreadable:
        folders = ", ".join(map(str, unreadable[:5])) + (" and others" if len(unreadable) > 5 else "")
        sentences.append(
            f"The reports in these run folders cannot be read; the folders were left as they are: {folders}."
        )
    return " ".join(sentences)
