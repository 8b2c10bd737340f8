"""The workers' log has dated lines of the level that is set, and does not grow for ever."""

import io
import logging
import re
import shutil
from pathlib import Path

import pytest

from unlearn_core.domain.errors import InvalidSettingError
from unlearn_core.store.files import log_file
from unlearn_core.store.files.log_file import MAX_LOG_BYTES, LogFileHandler, logging_to, rotated_log_path

LOGGER = logging.getLogger("unlearn_core.somewhere")


def test_lines_are_dated_and_say_how_severe_they_are(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        logging.getLogger("unlearn_core"), "propagate", False
    )  # pytest cannot send a surrogate to its main process
    stream = io.StringIO()
    with logging_to(logging.StreamHandler(stream), LogFileHandler(home)):
        LOGGER.debug("not shown")
        LOGGER.info("Worker on cpu started.")
        LOGGER.warning("a lone surrogate: \udc80, and 100 %s")
    text = stream.getvalue()
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"{date} INFO Worker on cpu started\.\n{date} WARNING a lone .*, and 100 %s\n", text)
    assert (home / "worker.log").read_text() == text.replace("\udc80", "\\udc80")


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("WARNING", 2), ("error", 1)])
def test_the_level_is_a_setting(monkeypatch: pytest.MonkeyPatch, level: str, shown: int) -> None:
    monkeypatch.setenv("UNLEARN_LOG_LEVEL", level)
    stream = io.StringIO()
    with logging_to(logging.StreamHandler(stream)):
        for say in (LOGGER.debug, LOGGER.info, LOGGER.warning, LOGGER.error):
            say("a line")
    assert stream.getvalue().count("a line") == shown


def test_the_configuration_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    outer, inner = io.StringIO(), io.StringIO()
    with logging_to(logging.StreamHandler(outer)):
        with logging_to(logging.StreamHandler(inner)):
            LOGGER.info("inside")
        LOGGER.info("outside")
        monkeypatch.setenv("UNLEARN_LOG_LEVEL", "loud")
        with pytest.raises(InvalidSettingError), logging_to():
            pass
        LOGGER.info("again")
    assert re.fullmatch(r".* INFO inside\n", inner.getvalue())
    assert re.fullmatch(r".* INFO outside\n.* INFO again\n", outer.getvalue())


def test_lines_after_a_rotation_are_in_the_new_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_LOG_BYTES", 10)
    with logging_to(LogFileHandler(home)):
        LOGGER.info("before")
        rotated_log_path(home)
        LOGGER.info("after")
    assert "before" in (home / "worker.log.1").read_text()
    assert re.fullmatch(r".* INFO after\n", (home / "worker.log").read_text())


def test_a_folder_that_is_removed_does_not_stop_what_logs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with logging_to(LogFileHandler(home)):
        LOGGER.info("before")
        shutil.rmtree(home)
        LOGGER.info("after")
    assert not home.exists()


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
