"""`evidence`: write the evidence sheet of a finished run, with the outputs from which `verify` recomputes it."""

import argparse
from pathlib import Path

from unlearn_core.cli._finished_runs import RUN_HELP, load_report, report_folder
from unlearn_core.domain.errors import StoreError

HELP = "Write the evidence sheet of a finished run: one page, and a folder from which `verify` recomputes every figure."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.export.evidence.evidence_folder import evidence_files
    from unlearn_core.export.report_file import image_datasets, write_file
    from unlearn_core.store.files.artifacts import writable

    out = args.out.expanduser()
    if out.exists():
        raise StoreError(f"{out} already exists: choose another folder, so that nothing is overwritten.")
    report = load_report(args.run, report_folder(args.run))
    files = evidence_files(report, image_datasets([report]).get(report.dataset.id))
    with writable(out):
        out.mkdir(parents=True)
    for name, data in files.items():
        write_file(out / name, data)
    print(f"{out / 'sheet.html'}: the sheet of {report.forget_set_title!r}, with the outputs that it follows from.")
    print(f"Verify it with: python -m unlearn_core verify {out}")
    return 0
