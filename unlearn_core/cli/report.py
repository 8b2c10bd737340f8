"""`report`: a finished run as one HTML file for people, or as an archive with all that belongs to it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError, StoreError, UnlearnError

if TYPE_CHECKING:
    from unlearn_core.data.image_dataset import ImageDataset
    from unlearn_core.domain.report import Report

HELP = "Write the report of a finished run, or of several side by side, as one file that needs no network."

MAX_REPORTS = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run's number, or a folder that `run --out` wrote; up to four"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="FILE.html for the report alone, FILE.zip for everything",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.export.archive import build_archive
    from unlearn_core.export.html_report import render_report
    from unlearn_core.methods import methods

    out = _unused_path(args.out.expanduser())
    if len(args.runs) > MAX_REPORTS:
        raise InvalidRequestError(f"{len(args.runs)} runs do not fit beside one another: name up to {MAX_REPORTS}.")
    folders = [_folder(name) for name in args.runs]
    found = [_report(name, folder) for name, folder in zip(args.runs, folders, strict=True)]
    text = render_report(found, methods=methods(), image_datasets=_image_datasets(found))
    if out.suffix == ".html":
        data = text.encode()
    else:
        data = build_archive(found, page=text, weights=[folder / "weights.safetensors" for folder in folders])
    try:
        out.write_bytes(data)
    except OSError as problem:
        raise StoreError(f"{out} cannot be written ({problem.strerror}). Name another file.") from None
    print(f"{out}: {len(data) / 1e6:.1f} MB, complete in itself.")
    return 0


def _unused_path(out: Path) -> Path:
    """The file to write. Raises BadRequest where its name fits no kind, StoreError where it is there already."""
    if out.suffix not in (".html", ".zip"):
        raise InvalidRequestError(f"--out takes a file that ends with .html or .zip, and {out.name!r} does not.")
    if out.exists():
        raise StoreError(f"{out} is there already: name another file, so that nothing is overwritten.")
    return out


def _folder(name: str) -> Path:
    """Where a run's report lies. Raises UnknownName or StoreError, with the run's own reason where it has failed."""
    from unlearn_core.domain.run import RunState
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import artifacts
    from unlearn_core.store.queue.run_store import RunStore

    if not _is_number(name):
        return Path(name).expanduser()
    found = RunStore(open_data_dir()).get(int(name))
    if found.spec.kind != "unlearn":
        raise InvalidRequestError(
            f"Run {name} ({found.title}) has no report: only runs that forget something have one."
        )
    if found.state is not RunState.DONE:
        because = f": {found.error}" if found.error else ""
        raise StoreError(f"Run {name} is {found.state}{because}. There is a report only of what is done.")
    return artifacts.run_dir(open_data_dir(), int(name))


def _report(name: str, folder: Path) -> "Report":
    """The report of a run, beside its finished repeats from other seeds; of a folder as it is."""
    from unlearn_core.domain.run import RunState
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files import reports
    from unlearn_core.store.queue.repeats import add_seeds_part
    from unlearn_core.store.queue.run_store import RunStore

    if not _is_number(name):
        return reports.read_folder(folder)
    store = RunStore(open_data_dir())
    done = [run for run in store.repeats.runs_of(store.get(int(name))) if run.state is RunState.DONE]
    return add_seeds_part(reports.read(open_data_dir(), int(name)), open_data_dir(), done)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 10


def _image_datasets(reports: "list[Report]") -> "dict[str, ImageDataset]":
    """The pictures of the reports' data sets, as far as this machine has them."""
    from unlearn_core.data import datasets

    known = {}
    for name in {report.dataset.id for report in reports}:
        try:
            known[name] = datasets.load(name)
        except UnlearnError:  # The report says so itself.
            continue
    return known
