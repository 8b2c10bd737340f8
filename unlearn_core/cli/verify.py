"""`verify`: recompute an evidence sheet from the outputs in its folder, and list what differs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import StoreError, UnlearnError

if TYPE_CHECKING:
    from unlearn_core.data.image_dataset import ImageDataset
    from unlearn_core.domain.report import Report
    from unlearn_core.export.evidence.sheet import EvidenceSheet
    from unlearn_core.export.evidence.sheet_checks import Check

HELP = "Recompute every figure of an evidence sheet from the outputs in its folder, and list what differs."
VERIFIED, DIFFERS = 0, 1
"""Exit codes; 2 is, as for every verb, that there is nothing to verify."""
STATES = ("agrees", "from the run", "not compared", "differs")
_WIDTH = 44


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the sheet, unpacked")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.data.atomic_files import sha256
    from unlearn_core.data.ingest.sanitize import escape_control
    from unlearn_core.export.evidence.evidence_folder import read_file, read_sheet
    from unlearn_core.export.evidence.sheet import PAGE, SHEET
    from unlearn_core.export.evidence.sheet_checks import check_sheet

    folder = args.folder.expanduser()
    sheet = read_sheet(folder)
    print(escape_control(f"{sheet.request.title}, sheet made {sheet.made}"))
    try:
        checks = check_sheet(sheet, recompute_sheet(folder), read_file(folder, PAGE))
    except StoreError as problem:
        print(f"DIFFERS: {escape_control(str(problem))} Nothing could be recomputed.")
        return DIFFERS
    for line in _lines(checks):
        print(escape_control(line))
    print(f"SHA-256 of {SHEET}: {sha256(read_file(folder, SHEET))}")
    return DIFFERS if any(one.state == "differs" for one in checks) else VERIFIED


def recompute_sheet(folder: Path) -> "EvidenceSheet":
    """Return the sheet that follows from what is stored in a folder, which reads nothing from the sheet in it.

    Raises StoreError if something is missing or damaged.
    """
    from unlearn_core.engine.measuring.recompute import measure_outputs
    from unlearn_core.export.evidence.build_sheet import build_sheet
    from unlearn_core.export.evidence.evidence_folder import read_stored
    from unlearn_core.export.evidence.fingerprints import fingerprints

    stored = read_stored(folder)
    try:
        report = measure_outputs(stored.report, only=stored.measured)
        images = _image_dataset(report)
        return build_sheet(report, fingerprints(report, image_dataset=images, files=stored.files))
    except (LookupError, ValueError, TypeError, ArithmeticError) as problem:
        raise StoreError(f"The stored outputs cannot be measured ({type(problem).__name__}).") from None


def _image_dataset(report: "Report") -> "ImageDataset | None":
    from unlearn_core.data import datasets

    try:
        return datasets.load(report.dataset.id)
    except UnlearnError:
        return None


def _lines(checks: "list[Check]") -> list[str]:
    """Return the figures, verdicts and fingerprints, whatever else differs, and a summary."""
    lines = [f"{'':14}{'figure':<{_WIDTH}}{'in the sheet':<{_WIDTH}}recomputed"]
    for one in checks:
        if one.state == "differs":
            lines += [f"{'DIFFERS':<14}{one.id}", f"{'':16}in the sheet: {one.in_sheet}"]
            lines += [f"{'':16}recomputed:   {one.recomputed}"]
        elif one.kind != "text" or one.id.startswith("verdict/"):
            lines.append(f"{one.state:<14}{one.id:<{_WIDTH}}{_short(one.in_sheet):<{_WIDTH}}{_short(one.recomputed)}")
    return [*lines, "", *_summary(checks)]


def _summary(checks: "list[Check]") -> list[str]:
    by_state = {state: [one for one in checks if one.state == state] for state in STATES}
    figures = sum(one.kind == "figure" for one in by_state["agrees"])
    unmeasured = [one.id for one in by_state["from the run"]]
    lines = [f"{figures:,} figures were recomputed from the stored outputs and agree."]
    if unmeasured:
        lines.append(f"Measured in the run, not recomputed by verify: {', '.join(unmeasured)}.")
    if by_state["not compared"]:
        lines.append(f"Not compared on this machine: {', '.join(one.id for one in by_state['not compared'])}.")
    lines.append("That the weights give these outputs is not checked: only running the command again would show it.")
    lost = by_state["differs"]
    lines.append(f"DIFFERS: {', '.join(one.id for one in lost)}." if lost else "Nothing differs.")
    return lines


def _short(text: str) -> str:
    return text if len(text) < _WIDTH else f"{text[: _WIDTH - 3]}…"
