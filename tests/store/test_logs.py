"""The workers' log does not grow for ever."""

from pathlib import Path

import pytest

from unlearn_core.store.files import log_file
from unlearn_core.store.files.log_file import MAX_LOG_BYTES, rotated_log_path


def test_a_long_log_is_put_aside_and_the_one_before_it_goes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_LOG_BYTES", 10)
    log, aside = home / "worker.log", home / "worker.log.1"
    assert rotated_log_path(home) == log and not log.exists()
    log.write_text("0123456789")
    assert rotated_log_path(home) == log and log.exists() and not aside.exists()
    for text in ("the first, too long", "the second, too long"):
        log.write_text(text)
        assert rotated_log_path(home) == log and not log.exists()
        assert aside.read_text() == text
    assert [path.name for path in home.iterdir()] == ["worker.log.1"]


def test_a_log_that_cannot_be_put_aside_is_gone_on_with(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "worker.log.1").mkdir()
    monkeypatch.setattr(log_file, "MAX_LOG_BYTES", 10)
    (home / "worker.log").write_text("the first, too long")
    assert rotated_log_path(home).read_text() == "the first, too long"
    assert MAX_LOG_BYTES == 5_000_000
