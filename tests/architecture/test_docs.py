"""README and docs are true: their code runs, their commands and files exist, their tables are complete."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.architecture.rules import ROOT
from unlearn_core.__main__ import build_parser, commands, main
from unlearn_core.benchmarks import make_docs

README = (ROOT / "README.md").read_text()
FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"python -m (unlearn_core [^`#\n]+)")
NOT_RUN = ("make ", "source ", "ssh ", "pip ")
"""Lines that set up or serve: a test of their own makes sure of what they name."""

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


@pytest.mark.slow
@pytest.mark.timeout(300)
@every_file
def test_every_code_block_runs(file: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a page are one session, in a folder that has the files that the page speaks of."""
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    shutil.copy(ROOT / "assets" / "classifiers" / "mlp-moons" / "original-0.safetensors", tmp_path / "net.safetensors")
    _make_faces(tmp_path)
    monkeypatch.chdir(tmp_path)
    for language, text in BLOCK.findall(file.read_text()):
        if language == "python":
            _run([sys.executable, "-c", text])
            continue
        for line in text.splitlines():
            command = line.split("#")[0].strip()
            if command.startswith("python -m unlearn_core "):
                _command(command.removeprefix("python -m unlearn_core "))
            elif command and not command.startswith(NOT_RUN):
                _run(["bash", "-ec", re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", command)])


def _command(text: str) -> None:
    """Run a command of ours in this process, which spares it the start; it may write to a file."""
    words, _, file = text.partition(" > ")
    with open(file or os.devnull, "w") as out, contextlib.redirect_stdout(out):  # noqa: PTH123
        assert main(shlex.split(words)) == 0, text


def _run(words: list[str]) -> None:
    """Run something else in a process of its own, which finds this checkout."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[-1]}\n{done.stdout}{done.stderr}"


def _make_faces(folder: Path) -> None:
    """Write the images of two people, as a zip and as a folder."""
    for person in ("anna", "ben"):
        for number in range(12):
            path = folder / "pictures" / "faces" / person / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (20 * number, 200 * (person == "ben"), 90)).save(path)
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for path in sorted((folder / "pictures" / "faces").rglob("*.png")):
            archive.write(path, path.relative_to(folder / "pictures" / "faces"))


@every_file
def test_commands_are_understood(file: Path) -> None:
    for line in COMMAND.findall(file.read_text()):
        _, *words = shlex.split(line.split(" > ")[0])
        assert build_parser(commands()).parse_args(words).verb == words[0]


@every_file
def test_make_targets_exist(file: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", file.read_text(), re.MULTILINE):
        assert f"\n{''.join(target)}:" in makefile


@every_file
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", file.read_text()):
        path, _, anchor = target.partition("#")
        assert (file.parent / path).exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", (file.parent / path).read_text(), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


def test_the_readme_is_one_page() -> None:
    text = README.split("<!-- results -->")[0] + README.split("<!-- /results -->")[1]
    assert len(text.split()) <= 900


def test_every_requirement_has_its_reason() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [re.split(r"[<>=\[]", line)[0] for line in lines if line and not line.startswith("#")]
    table = README.split("| library | why |")[1].split("\n\n")[0]
    assert re.findall(r"^\| (\S+) \|", table, re.MULTILINE) == wanted


@pytest.mark.parametrize("name", make_docs.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == make_docs.PAGES[name](), "run make docs"
