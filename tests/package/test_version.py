"""The version stands wherever a result or a problem is shown."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import unlearn_core
from tests.pages.conftest import come_as, visit
from unlearn_core.__main__ import main
from unlearn_core.cli import doctor
from unlearn_core.data import user_catalog
from unlearn_core.export.model_card import render_model_card
from unlearn_core.export.report_file import report_html
from unlearn_core.installation import VERSION

__all__ = ["come_as", "visit"]  # fixtures


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run."""
    made = tmp_path_factory.mktemp("version") / "run"
    spec = unlearn_core.spec("tiny", classes=["discs"], method="finetune", overrides={"epochs": 1})
    unlearn_core.unlearn(spec, device="cpu", out=made)
    yield made
    user_catalog.set_data_dir(None)


def test_a_report_says_which_version_made_it(folder: Path) -> None:
    assert json.loads((folder / "report.json").read_text())["made_with"] == {"unlearn-lab": VERSION}
    timings = json.loads((folder / "parts" / "timings.json").read_text())
    assert list(timings["versions"]) == ["unlearn-lab", "torch", "numpy", "source"]
    assert timings["versions"]["unlearn-lab"] == VERSION


def test_a_model_card_and_a_report_file_too(folder: Path) -> None:
    report = unlearn_core.read_report(folder)
    assert f"; unlearn-lab {VERSION} · torch " in render_model_card(report)
    page = report_html([report])
    assert f"Made by Unlearn Lab {VERSION} on" in page
    assert f"Made with unlearn-lab {VERSION} · torch " in page


def test_doctor_says_it_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.CHECKS[0] is doctor._version
    monkeypatch.setattr(doctor, "CHECKS", (doctor._version,))
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["ok", "unlearn-lab", f"{VERSION},"]


def test_the_command_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"Unlearn Lab {VERSION}\n"


@pytest.mark.parametrize("page", ["start", "history", "measures"])
def test_each_page_ends_with_it(visit: Callable[..., object], page: str) -> None:
    app = visit(page)
    assert app.caption[-1].value == f"Unlearn Lab {VERSION}"  # type: ignore[attr-defined]


def test_the_changelog_begins_with_it() -> None:
    text = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    newest, *earlier = [entry for entry in text.split("\n## [")[1:] if not entry.startswith("Unreleased]")]
    assert newest.startswith(f"{VERSION}] - "), earlier
