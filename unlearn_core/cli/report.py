"""`report`: export finished runs as one HTML file, or as an archive with all their files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError, StoreError

if TYPE_CHECKING:
    from unlearn_core.domain.report import Report

HELP = "Export the report of one finished run, or of several side by side, as one file that works offline."

MAX_REPORTS = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="the number of a run, or a folder written by `run --out`; up to four"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="FILE.html for the report only, FILE.zip for all files",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.export.archive import build_archive
    from unlearn_core.export.report_file import report_html, write_file

    out = _unused_path(args.out.expanduser())
    if len(args.runs) > MAX_REPORTS:
        raise InvalidRequestError(
            f"A report can compare up to {MAX_REPORTS} runs, not {len(args.runs)}: list fewer runs."
        )
    folders = [_folder(name) for name in args.runs]
    found = [_report(name, folder) for name, folder in zip(args.runs, folders, strict=True)]
    text = report_html(found)
    if out.suffix == ".html":
        data = text.encode()
    else:
        data = build_archive(found, page=text, weights=[folder / "weights.safetensors" for folder in folders])
    write_file(out, data)
    print(f"{out}: {len(data) / 1e6:.1f} MB, self-contained.")
    return 0


def _unused_path(out: Path) -> Path:
    """Return the file to write. Raises InvalidRequestError for another suffix, StoreError if the file exists."""
    if out.suffix not in (".html", ".zip"):
        raise InvalidRequestError(f"--out takes a file that ends with .html or .zip, not {out.name!r}.")
    if out.exists():
        raise StoreError(f"{out} already exists: choose another file, so that nothing is overwritten.")
    return out


def _folder(name: str) -> Path:
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


def _report(name: str, folder: Path) -> "Report":
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
