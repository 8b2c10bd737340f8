"""A command that fails for a reason that nobody foresaw: a sentence with an id, a bug report, and no traceback."""

import re
import tempfile
from pathlib import Path

import pytest

from tests.cli.running.test_run import QUICK, ROWS
from unlearn_core.__main__ import UNFORESEEN, main
from unlearn_core.cli import datasets
from unlearn_core.engine import execute
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker.device_supervisor import Supervisor


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("the ice is thin")


def reported(err: str) -> str:
    """The text of the bug report that these lines name."""
    found = re.search(r"Its bug report is (.+?\.txt)\.", err)
    assert found
    return Path(found[1]).read_text()


def test_a_verb_that_fails_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(datasets, "run", broken)
    assert main(["datasets", "--json"]) == UNFORESEEN
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    assert "An unforeseen error ended this: a computation failed (RuntimeError: the ice is thin). Error id " in said.err
    text = reported(said.err)
    assert "during: unlearn-lab datasets --json" in text and "Traceback" in text and "in broken" in text


def test_debugging_shows_the_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(datasets, "run", broken)
    monkeypatch.setenv("UNLEARN_LOG_LEVEL", "debug")
    assert main(["datasets"]) == UNFORESEEN
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")


def test_where_the_data_folder_cannot_be_written_the_report_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNLEARN_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(datasets, "run", broken)
    assert main(["datasets"]) == UNFORESEEN
    assert "Traceback" in reported(capsys.readouterr().err)
    assert not (tmp_path / "nowhere").exists()


def test_a_run_that_fails_names_the_same_report_in_the_history(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(execute, "build_problem", broken)
    assert main([*ROWS, *QUICK]) == UNFORESEEN
    err = capsys.readouterr().err
    (run,) = RunStore(home).list_runs()
    found = error_report.find(home, run.error or "")
    assert run.state == "failed" and found is not None and found.sentence in err
    assert found.text == reported(err) and '"method": "unsir"' in found.text


def test_a_worker_that_fails_also_logs_its_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Supervisor, "serve", broken)
    assert main(["worker", "--device", "cpu"]) == UNFORESEEN
    assert "Traceback" not in capsys.readouterr().err
    log = (home / "worker.log").read_text()
    assert "ERROR The worker on cpu failed:\nTraceback" in log and "the ice is thin" in log
