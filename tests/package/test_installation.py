"""Files and folders are found beside the package in a checkout, and inside it in a wheel."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from unlearn_core import installation
from unlearn_core.__main__ import main
from unlearn_core.cli import doctor


def loaded(package: Path) -> ModuleType:
    """The module as it is in a package in that folder."""
    package.mkdir(exist_ok=True)
    copy = Path(shutil.copy(installation.__file__, package))
    spec = importlib.util.spec_from_file_location("installation_elsewhere", copy)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_this_is_a_checkout() -> None:
    assert installation.IS_CHECKOUT
    for name in ("app.py", "pages", "assets", ".streamlit/config.toml", "requirements.txt", "unlearn_core"):
        assert (installation.ROOT / name).exists(), name
    assert installation.IMPORT_DIR == installation.ROOT
    assert installation.DEFAULT_DATA_DIR == installation.ROOT / "data"


def test_a_checkout_elsewhere(tmp_path: Path) -> None:
    found = loaded(tmp_path / "unlearn_core")
    assert found.IS_CHECKOUT
    assert (tmp_path, tmp_path / "assets") == (found.ROOT, found.ASSETS)
    assert "make bundle" in found.HOW_TO_RESTORE


@pytest.mark.parametrize(
    ("variable", "data"), [("/somewhere", Path("/somewhere/unlearn-lab")), ("", Path("~/.local/share/unlearn-lab"))]
)
def test_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, data: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", variable)
    inside = tmp_path / "unlearn_core" / "_app"
    inside.mkdir(parents=True)
    found = loaded(tmp_path / "unlearn_core")
    assert not found.IS_CHECKOUT
    assert (inside, inside / "assets", tmp_path) == (found.ROOT, found.ASSETS, found.IMPORT_DIR)
    assert data == found.DEFAULT_DATA_DIR
    assert "pip install" in found.HOW_TO_RESTORE


@pytest.mark.parametrize("verb", ["bundle", "ladder", "reproduce", "results"])
def test_what_writes_into_the_project_needs_a_checkout(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installation, "IS_CHECKOUT", False)
    assert main([verb]) == 2
    assert f"`{verb}` writes into the project's own folder: run it in a checkout" in capsys.readouterr().err


def test_doctor_says_where_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._version,))
    assert main(["doctor"]) == 0
    assert f"in the checkout {installation.ROOT}" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "IS_CHECKOUT", False)
    assert main(["doctor"]) == 0
    assert f"installed in {installation.ROOT}" in capsys.readouterr().out


@pytest.mark.parametrize(("checkout", "words"), [(True, "`make clean run`"), (False, "`pip install --force-reinstall")])
def test_doctor_says_how_to_set_up_again(
    checkout: bool, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def _broken() -> None:
        raise ImportError("no libcudart")

    monkeypatch.setattr(doctor, "IS_CHECKOUT", checkout)
    monkeypatch.setattr(doctor, "CHECKS", (_broken,))
    assert main(["doctor"]) == 1
    assert f"ImportError: no libcudart. Set up the environment again: {words}" in capsys.readouterr().out
