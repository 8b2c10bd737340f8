"""`report`: export finished runs as one HTML file, or as an archive with all their files."""

import argparse
from pathlib import Path

from unlearn_core.cli._finished_runs import RUN_HELP, load_report, report_folder
from unlearn_core.domain.errors import InvalidRequestError, StoreError

HELP = "Export the report of one finished run, or of several side by side, as one file that works offline."

MAX_REPORTS = 6


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help=f"{RUN_HELP}; up to six")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="FILE.html for the report only, FILE.zip for all files",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.charts.chart import report_labels
    from unlearn_core.charts.text.score_words import score_lines
    from unlearn_core.export.archive import build_archive
    from unlearn_core.export.report_file import report_html, write_file

    out = _unused_path(args.out.expanduser())
    if len(args.runs) > MAX_REPORTS:
        raise InvalidRequestError(
            f"A report can compare up to {MAX_REPORTS} runs, not {len(args.runs)}: list fewer runs."
        )
    folders = [report_folder(name) for name in args.runs]
    found = [load_report(name, folder) for name, folder in zip(args.runs, folders, strict=True)]
    text = report_html(found)
    if out.suffix == ".html":
        data = text.encode()
    else:
        data = build_archive(found, page=text, weights=[folder / "weights.safetensors" for folder in folders])
    write_file(out, data)
    print(f"{out}: {len(data) / 1e6:.1f} MB, self-contained.")
    for line in score_lines(zip(report_labels(found), found, strict=True)):
        print(line.replace("\N{NO-BREAK SPACE}", " "))
    return 0


def _unused_path(out: Path) -> Path:
    """Return the file to write. Raises InvalidRequestError for another suffix, StoreError if the file exists."""
    if out.suffix not in (".html", ".zip"):
        raise InvalidRequestError(f"--out takes a file that ends with .html or .zip, not {out.name!r}.")
    if out.exists():
        raise StoreError(f"{out} already exists: choose another file, so that nothing is overwritten.")
    return out
