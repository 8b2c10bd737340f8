"""Settings come from one class: only it reads our variables, and bad values are sentences."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unlearn_core import settings as module
from unlearn_core.__main__ import MISTAKE, main
from unlearn_core.domain.errors import InvalidSettingError
from unlearn_core.settings import PREFIX, Settings, UploadLimits, settings, variable

ROOT = Path(__file__).resolve().parents[2]
CODE = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "unlearn_core").rglob("*.py")]


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without our variables."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_each_variable_in_code_and_texts_is_a_setting() -> None:
    texts = [*CODE, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    used = {name for path in texts for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", path.read_text())}
    assert used == {variable(name) for name in Settings.model_fields}


def variables_outside_sentences(text: str) -> list[str]:
    """The names of our variables that stand alone in code, so that something may read them; it may set them."""
    if PREFIX not in text:
        return []
    nodes = list(ast.walk(ast.parse(text)))
    set_here = {id(node.slice) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
    constants = (node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in set_here)
    return [value for value in constants if isinstance(value, str) and re.fullmatch(rf"{PREFIX}\w*", value)]


def test_nothing_but_the_class_reads_our_variables() -> None:
    found = {path for path in CODE if variables_outside_sentences(path.read_text())}
    assert found == {Path(module.__file__)}, "read settings() instead"


@pytest.mark.parametrize("text", ['os.environ["UNLEARN_HOME"]', 'NAME = "UNLEARN_DATABASE"', 'getenv("UNLEARN_X", 1)'])
def test_a_reader_elsewhere_is_caught(text: str) -> None:
    assert variables_outside_sentences(text)


def test_each_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_without_variables_each_setting_has_its_default() -> None:
    assert settings().model_dump() == {name: field.default for name, field in Settings.model_fields.items()}
    assert {name: getattr(settings(), name) for name in UploadLimits.model_fields} == UploadLimits().model_dump()


def test_a_change_of_the_environment_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings() is settings(), "read once as long as nothing changes"
    monkeypatch.setenv("UNLEARN_MOST_PICTURES", " 7 ")
    assert settings().most_pictures == 7
    monkeypatch.setenv("UNLEARN_MOST_PICTURES", "8")
    assert settings().most_pictures == 8
    monkeypatch.setenv("UNLEARN_MOST_PICTURES", " ")
    assert settings().most_pictures == 200_000


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("plugins", "a, b.c,,", ("a", "b.c")),
        ("home", "~/lab", Path("~/lab")),
        ("data_root", "  ", None),
        ("database", "postgresql://me:secret@there/runs", "postgresql://me:secret@there/runs"),
        ("allow_hub", "1", True),
        ("allow_hub", "0", False),
        ("worker", "none", "none"),
        ("log_level", "DEBUG", "debug"),
        ("most_pixels", "1", 1),
    ],
)
def test_a_value_is_read(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object) -> None:
    monkeypatch.setenv(variable(name), text)
    assert getattr(settings(), name) == value
    assert "secret" not in repr(settings())


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("most_pictures", "many", "a whole number of at least 1"),
        ("most_pictures", "0", "a whole number of at least 1"),
        ("most_minutes", "1.5", "a whole number of at least 1"),
        ("most_unusable", "101", "a whole number from 1 to 100"),
        ("worker", "yes", "auto or none"),
        ("allow_hub", "perhaps", "1 or 0"),
        ("log_level", "loud", "debug, info, warning or error"),
    ],
)
def test_a_bad_value_is_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str, text: str, wanted: str) -> None:
    monkeypatch.setenv(variable(name), text)
    with pytest.raises(InvalidSettingError) as raised:
        settings()
    assert str(raised.value) == f"{variable(name)} is {text!r}: set it to {wanted}, or unset it."
    assert raised.value.__cause__ is None


def test_each_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_WORKER", "x" * 100)
    monkeypatch.setenv("UNLEARN_MOST_PIXELS", "-1")
    with pytest.raises(InvalidSettingError, match=rf"PIXELS is '-1': .*WORKER is '{'x' * 40}': "):
        settings()


def test_a_command_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("UNLEARN_MOST_PIXELS", "many")
    assert main(["datasets"]) == MISTAKE
    said = capsys.readouterr()
    assert said.err == "UNLEARN_MOST_PIXELS is 'many': set it to a whole number of at least 1, or unset it.\n"
    assert said.out == ""


def test_reading_settings_imports_nothing_heavy() -> None:
    program = "import sys; from unlearn_core.settings import settings; settings(); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numpy", "pandas", "streamlit"} & set(said.split())
