"""The finished runs that an export is made of: runs of the data folder by number, and folders of reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError, StoreError

if TYPE_CHECKING:
    from unlearn_core.domain.report import Report


def report_folder(name: str) -> Path:
    """Return the folder of a run's report. Raises NotFoundError or StoreError, with the error of a failed run."""
    from unlearn_core.domain.run import RunState
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import artifacts
    from unlearn_core.store.queue.run_store import RunStore

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
    from unlearn_core.store.files import reports
    from unlearn_core.store.queue.repeats import with_seeds
    from unlearn_core.store.queue.run_store import RunStore

    if not _is_number(name):
        return reports.read_folder(folder)
    store = RunStore(open_data_dir())
    done = [run for run in store.repeats.runs_of(store.get(int(name))) if run.state is RunState.DONE]
    return with_seeds(reports.read(open_data_dir(), int(name)), open_data_dir(), done)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 10
