"""Retention: runs that are too old, too many or too large are announced first, and deleted three days later.

It is off unless a setting says otherwise: UNLEARN_KEEP_DAYS, UNLEARN_KEEP_RUNS (of each owner), UNLEARN_KEEP_GB. Pinned
runs stay, and so do trials of unfinished sweeps and runs that others continue.
"""

import fcntl
import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.run import Run
from unlearn_core.domain.sweeps.sweep import sweep_group
from unlearn_core.settings import settings
from unlearn_core.store.files import artifacts
from unlearn_core.store.housekeeping.footprint import size
from unlearn_core.store.housekeeping.usage import MOST_SWEEPS
from unlearn_core.store.queue.processes import locks_dir
from unlearn_core.store.queue.run_store import RunStore

KINDS = ("unlearn", "gold", "train", "add")
"""The kinds of runs that the history lists; others are deleted with the run that they are about."""
DAY = 86_400.0
NOTICE_DAYS = 3
"""Days from the announcement until something is deleted."""
FILE = "retention.json"

_logger = logging.getLogger(__name__)
What = Literal["run", "weights"]


class Planned(NamedTuple):
    """What will be deleted: a run, or only its weights; why, as a clause, and when, in seconds since 1970."""

    run: int
    owner: str
    what: What
    why: str
    due: float
    since: float
    """When it was announced."""


class _Rule(NamedTuple):
    what: What
    why: str
    due: float


def is_on() -> bool:
    """Return whether a setting limits what is kept."""
    limits = settings()
    return any(limit is not None for limit in (limits.keep_days, limits.keep_runs, limits.keep_gb))


def announced(data_dir: Path) -> list[Planned]:
    """Return what was announced in a data folder, the first to be deleted first; nothing while retention is off."""
    if not is_on():
        return []
    try:
        return [Planned(*entry) for entry in json.loads((data_dir / FILE).read_text())]
    except (OSError, ValueError, TypeError):  # missing, or damaged: then all is announced anew
        return []


def carry_out(store: RunStore, *, now: float | None = None) -> list[Planned]:
    """Delete what is due, announce what comes next, and return what was deleted; one process at a time.

    Raises NotAllowedError unless the operator acts.
    """
    store.access.require_operator()
    if not is_on():
        (store.data_dir / FILE).unlink(missing_ok=True)
        return []
    with (locks_dir(store.data_dir) / "retention").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return []
        now = time.time() if now is None else now
        planned = plan(store, now)
        gone = [one for one in planned if one.due <= now and _delete(store, one)]
        left = [one for one in planned if one not in gone]
        atomic_write(store.data_dir / FILE, json.dumps(left).encode())
    return gone


def remove_owner(data_dir: Path, owner: str) -> None:
    """Remove the announcements of an owner, who has nothing any more."""
    planned = announced(data_dir)
    if any(one.owner == owner for one in planned):
        atomic_write(data_dir / FILE, json.dumps([one for one in planned if one.owner != owner]).encode())


def plan(store: RunStore, now: float) -> list[Planned]:
    """Return what the settings want deleted, the first first; nothing before three days after its announcement."""
    runs, limits = _candidates(store), settings()
    before = {(one.run, one.what): one.since for one in announced(store.data_dir)}
    rules: dict[int, _Rule] = {}
    if limits.keep_days is not None:
        rules |= _too_old(runs, limits.keep_days, now)
    if limits.keep_runs is not None:
        rules |= _too_many(runs, limits.keep_runs, now)
    if limits.keep_gb is not None:
        rules |= _too_large(store, [run for run in runs if run.id not in rules], limits.keep_gb, now)
    planned: list[Planned] = []
    for run in runs:
        if run.id in rules:
            rule = rules[run.id]
            since = min(before.get((run.id, rule.what), now), now)
            due = max(rule.due, since + NOTICE_DAYS * DAY)
            planned.append(Planned(run.id, run.owner, rule.what, rule.why, due, since))
    return sorted(planned, key=lambda one: (one.due, one.run))


def _candidates(store: RunStore) -> list[Run]:
    """The finished runs that may be deleted, the oldest first."""
    every = store.list_runs(limit=None)
    sweeps = store.sweeps.list_recent(limit=MOST_SWEEPS)
    going = {sweep_group(sweep.id) for sweep in sweeps if not sweep.state.is_finished}
    needed = {start for job in [*every, *sweeps] if isinstance(start := getattr(job.spec, "start", None), int)}
    needed |= {about for run in every if not run.state.is_finished and (about := getattr(run.spec, "run", None))}
    found = [
        run
        for run in every
        if run.spec.kind in KINDS
        and run.state.is_finished
        and not (run.pinned or run.group in going or run.id in needed)
    ]
    return sorted(found, key=_ended)


def _ended(run: Run) -> float:
    return (run.finished or run.created).timestamp()


def _too_old(runs: Sequence[Run], days: int, now: float) -> dict[int, _Rule]:
    """Those that will be too old before the time of notice has passed."""
    why = f"older than {days} {'day' if days == 1 else 'days'}"
    due = {run.id: _ended(run) + days * DAY for run in runs}
    return {run: _Rule("run", why, when) for run, when in due.items() if when <= now + NOTICE_DAYS * DAY}


def _too_many(runs: Sequence[Run], most: int, now: float) -> dict[int, _Rule]:
    """All but the newest of each owner."""
    newer: Counter[str] = Counter()
    found: dict[int, _Rule] = {}
    for run in reversed(runs):
        newer[run.owner] += 1
        if newer[run.owner] > most:
            found[run.id] = _Rule("run", f"not among the newest {most:,} of a visitor", now)
    return found


def _too_large(store: RunStore, runs: Sequence[Run], gigabytes: int, now: float) -> dict[int, _Rule]:
    """The weights of the oldest until the rest fits, then their reports, if it does not fit without any weights."""
    folders = {run.id: artifacts.run_dir(store.data_dir, run.id) for run in runs}
    sizes = {run: size(folder) for run, folder in folders.items()}
    weights = {run: size(folder / artifacts.WEIGHTS_FILE) for run, folder in folders.items()}
    going = {one.run for one in announced(store.data_dir) if one.what == "run"} - folders.keys()
    others = (run.id for run in store.list_runs(limit=None) if run.id not in folders and run.id not in going)
    excess = sum(sizes.values()) + sum(size(artifacts.run_dir(store.data_dir, run)) for run in others) - gigabytes * 1e9
    why = f"the oldest, while all runs take more than {gigabytes:,} GB"
    found: dict[int, _Rule] = {}
    steps: Sequence[tuple[What, dict[int, int]]] = (
        ("weights", weights),
        ("run", {run: sizes[run] - weights[run] for run in folders}),
    )
    for what, freed in steps:
        for run in folders:
            if excess <= 0:
                return found
            if freed[run]:
                found[run], excess = _Rule(what, why, now), excess - freed[run]
    return found


def _delete(store: RunStore, planned: Planned) -> bool:
    """Delete a run or its weights; False if it cannot be now, and is tried again."""
    try:
        if planned.what == "run":
            store.delete(planned.run)
            if planned.run in store.listing.runs([planned.run]):
                return False  # It has passed from the operator to somebody who joined it, and is planned anew.
        else:
            (artifacts.run_dir(store.data_dir, planned.run) / artifacts.WEIGHTS_FILE).unlink(missing_ok=True)
    except (StoreError, OSError) as problem:
        _logger.warning(f"Retention could not delete the {planned.what} of run {planned.run}: {problem}")
        return False
    what = f"run {planned.run}" if planned.what == "run" else f"the weights of run {planned.run}"
    _logger.info(f"Retention deleted {what}: {planned.why}.")
    return True
