"""The report file, made with the methods and the images that are on this machine."""

from collections.abc import Sequence
from pathlib import Path

from unlearn_core.data import datasets
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.errors import StoreError, UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.export.html_report import render_report
from unlearn_core.methods import methods


def report_file(reports: Sequence[Report], file: Path | str) -> Path:
    """Write the report of one run, or of several side by side, as one HTML file that works offline; return its path.

    Raises StoreError if the file cannot be written.
    """
    return write_file(Path(file).expanduser(), report_html(reports).encode())


def report_html(reports: Sequence[Report]) -> str:
    """Return the text of that file."""
    return render_report(reports, methods=methods(), image_datasets=image_datasets(reports))


def write_file(file: Path, data: bytes) -> Path:
    """Write an exported file. Raises StoreError, with the reason, if that is not possible."""
    try:
        file.write_bytes(data)
    except OSError as problem:
        raise StoreError(f"Cannot write {file} ({problem.strerror}). Choose another file.") from None
    return file


def image_datasets(reports: Sequence[Report]) -> dict[str, ImageDataset]:
    """Return the images of the reports' data sets, as far as they are on this machine."""
    loaded = {}
    for name in {report.dataset.id for report in reports}:
        try:
            loaded[name] = datasets.load(name)
        except UnlearnError:  # The report says that they are missing.
            continue
    return loaded
