"""No Python file is hidden from ruff, in a checkout and in a source archive alike."""

import subprocess
from pathlib import Path

import pytest

from tests.architecture.linted import unlinted
from tests.architecture.rules import ROOT

FILES = ("app.py", "core/data/reader.py", "core/build/steps.py", "core/stub.pyi", "data/mine.py", "venv/lib/other.py")


def project(root: Path, excluded: str) -> Path:
    """A small project whose settings exclude something from ruff, as a source archive has it."""
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")
    (root / "venv" / "pyvenv.cfg").touch()
    (root / "pyproject.toml").write_text(f"[tool.ruff]\nextend-exclude = {excluded}\n")
    return root


def tracked(root: Path) -> Path:
    """The same, under git; what is written there by people and programs is not."""
    (root / ".gitignore").write_text("/data/\n/venv/\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    return root


def test_ruff_looks_at_every_file() -> None:
    assert unlinted(ROOT) == []


@pytest.mark.parametrize("kind", [tracked, lambda root: root], ids=["checkout", "archive"])
@pytest.mark.parametrize(
    ("excluded", "hidden"),
    [
        ('["./build", "./data"]', []),
        ('["build", "data"]', ["core/build/steps.py", "core/data/reader.py"]),
        ('["*.pyi"]', ["core/stub.pyi"]),
        ('["core"]', ["core/build/steps.py", "core/data/reader.py", "core/stub.pyi"]),
    ],
)
def test_a_hidden_file_is_found(tmp_path: Path, kind, excluded: str, hidden: list[str]) -> None:
    assert unlinted(kind(project(tmp_path, excluded))) == hidden
