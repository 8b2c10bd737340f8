"""What every test may ask for. The tiny data set and classifier of tests/plugin are on the shelves from the start."""

import os
from pathlib import Path

import pytest

os.environ["UNLEARN_PLUGINS"] = "tests.plugin"
os.environ["UNLEARN_WORKER"] = "none"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and nobody at work in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("UNLEARN_HOME", str(folder))
    folder.mkdir()
    return folder
