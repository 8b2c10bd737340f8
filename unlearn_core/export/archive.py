"""The zip archive of one or several runs: report, settings, weights, tables, and a folder for Python."""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from unlearn_core.charts import charts
from unlearn_core.domain.report import Report
from unlearn_core.export.figures import drawable_reports
from unlearn_core.export.model_card import render_model_card
from unlearn_core.export.safe_csv import to_csv
from unlearn_core.store.files import artifacts, reports

SPEC_FILE = "spec.json"
README_TEXT = """Download of a run from Unlearn Lab. Opening any of these files executes no code.

report.html          the report: opens in any browser, online or offline, and prints well
spec.json            the settings: upload this file, or the whole archive, on the History page to restore them
weights.safetensors  the unlearned model, if its weights were saved
MODEL_CARD.md        the model, its evaluation, its limits, and how to load the weights
tables/              the values behind every chart, as CSV
report/              the report for Python, without any model; see its README.txt

If there are several runs, each has its own folder, and report.html and tables/ cover all of them.
"""


def build_archive(reports: Sequence[Report], *, page: str, weights: Sequence[Path | None]) -> bytes:
    """The zip of these reports; `page` is their report.html, `weights` each one's file, None where not saved."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", README_TEXT)
        file.writestr("report.html", page)
        for name, text in chart_tables(reports).items():
            file.writestr(f"tables/{name}.csv", text)
        for number, (report, own) in enumerate(zip(reports, weights, strict=True), 1):
            folder = "" if len(reports) == 1 else f"run-{number if report.run is None else report.run}/"
            _write(file, report, own, folder)
    return buffer.getvalue()


def chart_tables(reports: Sequence[Report]) -> Mapping[str, str]:
    """The table of every chart that applies to these reports, as CSV, by the chart's id."""
    drawable = {name: drawable_reports(chart, reports) for name, chart in charts().items()}
    return {name: to_csv(charts()[name].table(own)) for name, own in drawable.items() if own}


def _write(file: zipfile.ZipFile, report: Report, weights: Path | None, folder: str) -> None:
    """Write the files of one run."""
    file.writestr(f"{folder}{SPEC_FILE}", report.spec.model_dump_json(indent=1))
    if weights is not None and weights.exists():
        file.write(weights, f"{folder}{artifacts.WEIGHTS_FILE}", zipfile.ZIP_STORED)
        file.writestr(f"{folder}MODEL_CARD.md", render_model_card(report))
    with tempfile.TemporaryDirectory() as spare:
        reports.write(report, Path(spare))
        for path in sorted(path for path in Path(spare).rglob("*") if path.is_file()):
            file.write(path, f"{folder}report/{path.relative_to(spare).as_posix()}")
