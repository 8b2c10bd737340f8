"""The README is true: its blocks run, its commands and files exist, its tables are complete."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from unlearn_core.__main__ import build_parser, commands
from unlearn_core.charts import charts

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"(<!-- these run in the tests -->\n)?```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [text for _, language, text in BLOCKS if language == "python"]
RUN = [line for mark, language, text in BLOCKS if mark and language == "sh" for line in text.splitlines()]
COMMANDS = re.findall(r"python -m (unlearn_core .+?)(?:`|$)", README, re.MULTILINE)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a newcomer: no plug-ins of the tests, an empty data folder."""
    strange = {name: value for name, value in os.environ.items() if not name.startswith("UNLEARN_")}
    return strange | {"UNLEARN_HOME": str(tmp_path_factory.mktemp("home"))}


def run(words: list[str], environment: dict[str, str], timeout: int) -> str:
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_something_to_run() -> None:
    assert len(PYTHON) == 2
    assert len(RUN) == 4
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("text", PYTHON)
def test_python_blocks_are_short(text: str) -> None:
    assert len([line for line in text.splitlines() if line.strip()]) <= 9


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_run_in_python_does_what_is_said(outside: dict[str, str]) -> None:
    said = run([sys.executable, "-W", "error", "-c", PYTHON[0]], outside, 390)
    assert [line.split()[0] for line in said.splitlines()] == ["before", "after", "gold"]


def test_every_chart_is_drawn_from_a_folder(outside: dict[str, str]) -> None:
    said = run([sys.executable, "-W", "error", "-c", PYTHON[1]], outside, 100)
    for name in ("accuracy", "layers", "curve"):
        assert f"\n{charts()[name].title}" in f"\n{said}"


@pytest.mark.parametrize("line", RUN)
def test_shell_lines_run(outside: dict[str, str], line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "python"
    assert run([sys.executable, *words], outside, 100)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line: str) -> None:
    _, *words = shlex.split(line)
    assert build_parser(commands()).parse_args(words).verb == words[0]


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"\bmake ([a-z-]+)(?=[ `\n])", README)) - {"has"}))
def test_make_verbs_exist(verb: str) -> None:
    assert f"\n{verb}:" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("path", re.findall(r"\]\(((?!http)[^)]+)\)", README))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_requirement_has_its_reason() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [re.split(r"[<>=\[]", line)[0] for line in lines if line and not line.startswith("#")]
    table = README.split("| library | why |")[1].split("\n\n")[0]
    assert re.findall(r"^\| (\S+) \|", table, re.MULTILINE) == wanted


def test_every_method_stands_in_the_table() -> None:
    from unlearn_core.methods import methods

    table = README.split("| method | forgets | the idea |")[1].split("\n\n")[0]
    forgets = {name: row.split("|")[2] for row in table.splitlines() for name in re.findall(r"^\| `(\w+)`", row)}
    kinds = {"classes": "classes", "images": "single images"}
    for name, method in methods().items():
        said = forgets.pop(name)
        assert {kind for kind, words in kinds.items() if words in said} == method.supports, name
    assert not forgets, "no method of that name"
