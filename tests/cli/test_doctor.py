"""`doctor` says what is broken and how to fix it, and sets the exit code."""

import json
from pathlib import Path

import pytest

from unlearn_core.__main__ import main
from unlearn_core.cli import doctor
from unlearn_core.models import bundled_models
from unlearn_core.store.files import restore


def examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = main(["doctor", "--json"])
    return code, {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}


def test_a_healthy_machine(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = examined(capsys)
    assert code == 0, found
    assert {"python", "torch", "torch and torchvision", "device cpu", "data folder", "database", "disk"} <= set(found)
    assert found["data set cifar10-sample"]["state"] == "ok"
    assert found["worker"] == {
        "what": "worker",
        "state": "note",
        "words": "no worker is running. Start one with `python -m unlearn_core serve` or `worker`.",
    }


def quick(monkeypatch: pytest.MonkeyPatch, *checks: object) -> None:
    monkeypatch.setattr(doctor, "CHECKS", checks)


def test_a_damaged_asset(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def shipped(name: str) -> list[bundled_models.BundledModel]:
        return [model._replace(files=dict.fromkeys(model.files, "0" * 64)) for model in real(name)]

    real = bundled_models.bundled
    monkeypatch.setattr(bundled_models, "bundled", shipped)
    quick(monkeypatch, doctor._assets)
    code, found = examined(capsys)
    assert code == 1
    assert "is damaged" in found["assets"]["words"]
    assert "git checkout -- assets" in found["assets"]["words"]


def test_an_unwritable_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("UNLEARN_HOME", f"{__file__}/home")
    quick(monkeypatch, doctor._data_folder, doctor._database)
    code, found = examined(capsys)
    assert code == 1
    assert "UNLEARN_HOME" in found["data_folder"]["words"]
    assert found["database"]["state"] == "problem"


def test_a_restored_history(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (home / restore.NOTICE).write_text("The run database was missing.")
    quick(monkeypatch, doctor._database)
    code, found = examined(capsys)
    assert code == 0
    assert (found["history"]["state"], found["history"]["words"]) == ("note", "The run database was missing.")


def test_a_library_that_is_missing_or_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# ours\nno-such-library-of-ours>=1\nnumpy>=999\npandas\n")
    monkeypatch.setattr(doctor, "REQUIREMENTS", requirements)
    quick(monkeypatch, doctor._libraries)
    code, found = examined(capsys)
    assert code == 1
    assert "not installed" in found["no-such-library-of-ours"]["words"]
    assert "does not match >=999" in found["numpy"]["words"]
    assert found["pandas"]["state"] == "ok"


def test_little_disk_is_a_note(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "MIN_DISK_GB", 1e9)
    quick(monkeypatch, doctor._data_folder)
    code, found = examined(capsys)
    assert code == 0
    assert found["disk"]["state"] == "note"
    assert "delete runs" in found["disk"]["words"]
