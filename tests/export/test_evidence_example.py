"""The example that ships gives an evidence sheet that verifies, by the commands that a user types."""

from pathlib import Path

import pytest

from unlearn_core.__main__ import main
from unlearn_core.export.evidence.evidence_folder import read_sheet
from unlearn_core.installation import ASSETS
from unlearn_core.store.files import reports


def test_the_bundled_example_verifies(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet"
    assert main(["evidence", str(ASSETS / "example"), "--out", str(out)]) == 0
    assert f"verify {out}" in capsys.readouterr().out
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr().out
    figures = [one for one in read_sheet(out).figures if one.source == "outputs"]
    assert len(figures) > 50
    assert f"{len(figures)} figures were recomputed from the stored outputs and agree." in said
    assert "Measured in the run, not recomputed by verify: relearning/after, relearning/gold" in said
    assert "linear probe/after" in said
    assert "Nothing differs." in said
    prints = {one.id: one.sha256 for one in read_sheet(out).fingerprints}
    assert prints["weights/after"] == reports.load_example().evaluations["after"].weights
    assert main(["evidence", str(ASSETS / "example"), "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err
