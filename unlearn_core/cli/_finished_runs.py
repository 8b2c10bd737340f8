"""The finished runs that an export is made of: by number, shipped ones by name, and folders of reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError, StoreError

if TYPE_CHECKING:
    from unlearn_core.domain.report import Report

RUN_HELP = "the number of a run, the name of one that ships, such as unsir-ship, or a folder written by `run --out`"


def report_folder(name: str) -> Path:
    """Return the folder of a run's report. Raises NotFoundError or StoreError, with the error of a failed run.

    For a run that ships it is a folder without weights.
    """
    from unlearn_core.domain.run import RunState
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import artifacts, shipped_runs
    from unlearn_core.store.queue.run_store import RunStore

    if _is_shipped(name):
        return shipped_runs.SHIPPED_DIR
    if not _is_number(name):
        return Path(name).expanduser()
    found = RunStore(open_data_dir()).get(int(name))
    if found.spec.kind != "unlearn":
        raise InvalidRequestError(f"Run {name} ({found.title}) has no report: only unlearning runs have one.")
    if found.state is not RunState.DONE:
        because = f": {found.error}" if found.error else ""
        raise StoreError(f"Run {name} is {found.state}{because}. Only finished runs have a report.")
    return artifacts.run_dir(open_data_dir(), int(name))


def load_report(name: str, folder: Path) -> "Report":
    """Return the report of a run with its finished repeats from other seeds, or that of a folder as it is."""
    from unlearn_core.domain.run import RunState
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import reports, shipped_runs
    from unlearn_core.store.queue.repeats import with_seeds
    from unlearn_core.store.queue.run_store import RunStore

    if _is_shipped(name):
        return shipped_runs.read_report(shipped_runs.named(name).id)
    if not _is_number(name):
        return reports.read_folder(folder)
    store = RunStore(open_data_dir())
    done = [run for run in store.repeats.runs_of(store.get(int(name))) if run.state is RunState.DONE]
    return with_seeds(reports.read(open_data_dir(), int(name)), open_data_dir(), done)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 10


def _is_shipped(name: str) -> bool:
    """Whether this is the name of a run that ships, and of no folder here."""
    from unlearn_core.store.files import shipped_runs

    return any(one.name == name for one in shipped_runs.shipped_runs()) and not Path(name).exists()
