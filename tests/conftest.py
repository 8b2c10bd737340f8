"""What every test may ask for. The tiny data set and classifier of unlearn_core/testing are there from the start."""

import os
from pathlib import Path

import pytest

os.environ["UNLEARN_PLUGINS"] = "unlearn_core.testing.tiny"
os.environ["UNLEARN_WORKER"] = "none"
if "PYTEST_XDIST_WORKER" in os.environ:  # One process a core: more threads than that only get in each other's way.
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(tryfirst=True)  # before pytest picks by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what drives a browser, but for what is marked as quick."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and item.get_closest_marker("quick") is None:
            item.add_marker("slow")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and nobody at work in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("UNLEARN_HOME", str(folder))
    folder.mkdir()
    return folder
