"""A folder with an evidence sheet, to be changed by each test."""

from pathlib import Path

import pytest

from tests.export.evidence.small_reports import pixels, small_report
from unlearn_core.cli.verify import recompute_sheet
from unlearn_core.export.evidence import fingerprints
from unlearn_core.export.evidence.evidence_folder import evidence_files
from unlearn_core.export.evidence.sheet import EvidenceSheet
from unlearn_core.probes import membership


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts here is that both sides measure in the same way: with few samples, no regression, one digest."""
    _make_quick(monkeypatch)


def _make_quick(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(membership, "BOOTSTRAP_SAMPLES", 20)
    patch.setattr(fingerprints, "source_digest", lambda: "5" * 64)
    patch.setattr(membership, "cross_validated_scores", lambda ours, theirs, _rng: (ours.mean(1), theirs.mean(1)))


@pytest.fixture(scope="session")
def written() -> dict[str, bytes]:
    """The files of a sheet with every kind of evidence."""
    with pytest.MonkeyPatch.context() as patch:
        _make_quick(patch)
        report = small_report()
        return evidence_files(report, pixels(report))


@pytest.fixture(scope="session")
def recomputed(written: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> EvidenceSheet:
    """What follows from the outputs in these files."""
    with pytest.MonkeyPatch.context() as patch:
        _make_quick(patch)
        return recompute_sheet(put(written, tmp_path_factory.mktemp("whole") / "sheet"))


@pytest.fixture
def folder(written: dict[str, bytes], tmp_path: Path) -> Path:
    """These files in a folder of their own."""
    return put(written, tmp_path / "sheet")


def put(files: dict[str, bytes], folder: Path) -> Path:
    """Write files into a new folder."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
