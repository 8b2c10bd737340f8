"""Finds the Python files that ruff does not look at: `python -m tests.architecture.linted` fails where there is one."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.rules import ROOT

GENERATED = {"build", "data", "screenshots"}
"""What people and programs write into the checkout, in folders directly below it."""


def unlinted(root: Path) -> list[str]:
    """The Python files of the project in `root` that ruff does not look at."""
    shown = _said(root, sys.executable, "-m", "ruff", "check", "--show-files", ".")
    assert shown is not None, "ruff reads its settings"
    seen = {Path(line) for line in shown.splitlines()}
    return sorted(path.relative_to(root).as_posix() for path in _tracked(root) or _found(root) if path not in seen)


def _tracked(root: Path) -> list[Path]:
    """The Python files that git has; none in a source archive."""
    listed = _said(root, "git", "ls-files", "-z", "*.py", "*.pyi") if (root / ".git").exists() else None
    return [path for name in (listed or "").split("\0") if name and (path := root / name).exists()]


def _found(root: Path) -> list[Path]:
    """The Python files that lie below `root`, but for those of virtual environments and of `GENERATED`."""
    files = []
    for folder, below, names in os.walk(root):
        here = Path(folder)
        skipped = GENERATED if here == root else set()
        below[:] = [name for name in below if name not in skipped and not (here / name / "pyvenv.cfg").exists()]
        files += [here / name for name in names if name.endswith((".py", ".pyi"))]
    return files


def _said(root: Path, *words: str) -> str | None:
    """What a program says, or None where it is missing or fails."""
    try:
        return subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


if __name__ == "__main__":
    if hidden := unlinted(ROOT):
        sys.exit("Ruff does not look at these files (see extend-exclude in pyproject.toml):\n" + "\n".join(hidden))
