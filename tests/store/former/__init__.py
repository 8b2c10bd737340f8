"""What release f9aa4de made, and how tests get at it. README.md says what each file holds."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
DOWNLOAD, SETTINGS = FOLDER / "download.zip", FOLDER / "settings.json"


def read(name: str) -> Any:
    """One of the JSON files beside this one."""
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `home/` and `report/`; nobody may write to it."""
    folder = tmp_path_factory.mktemp("former")
    with tarfile.open(FOLDER / "lab.tar.xz") as file:
        file.extractall(folder, filter="data")
    return folder


@pytest.fixture
def home(unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the data folder of that release, in use."""
    monkeypatch.setenv("UNLEARN_HOME", str(tmp_path / "home"))
    return shutil.copytree(unpacked / "home", tmp_path / "home")
