"""Bug reports: what is in them, what must not be, and that recording an error never fails."""

import errno
import os
import time
from pathlib import Path

import pytest

from unlearn_core.installation import VERSION
from unlearn_core.store.files import error_report
from unlearn_core.store.files.error_report import FOLDER, describe, find, foreseen_reason, record, scrub


def raised(problem: Exception) -> Exception:
    """The exception with a traceback."""
    try:
        raise problem
    except Exception as caught:
        return caught


def test_a_report_has_what_a_developer_needs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_CLASSES", "77")
    monkeypatch.setenv("UNLEARN_DATABASE", "postgresql://me:hush@db/lab")
    (home / "worker.log").write_text("".join(f"line {number}\n" for number in range(99)))
    report = record(raised(KeyError("weights")), home, task="run 7, Forget cat", request='{"method": "ssd"}')
    assert report.path == home / FOLDER / f"{report.id}.txt"
    assert report.path is not None and report.path.read_text() == report.text
    assert report.sentence == (
        f"An unforeseen error ended this: the program, or a plug-in, has a mistake (KeyError: 'weights'). "
        f"Error id {report.id}."
    )
    for part in (
        f"bug report {report.id}", "during: run 7, Forget cat", f"Unlearn Lab {VERSION}", "streamlit 1",
        "UNLEARN_MOST_CLASSES=77", "UNLEARN_DATABASE=(set)", '"method": "ssd"', "Traceback (most recent call last):",
        'raise problem', "line 59\n", "line 98",
    ):  # fmt: skip
        assert part in report.text
    assert "line 58\n" not in report.text and "hush" not in report.text
    assert find(home, f"Something. {report.sentence}") == report._replace(sentence=f"Something. {report.sentence}")


def test_it_has_no_folders_and_no_passwords(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/ada")
    monkeypatch.setenv("HF_TOKEN", "qwertyuiop")
    hidden = (
        f"{home}/runs/3 /srv/people/ada/x.zip /home/bob/y C:\\Users\\eve\\z {Path(error_report.__file__)} "
        "postgresql://me:hush@db/lab qwertyuiop api_key=zzz999 'password': 'pw1' hf_abcdefghijklmnop"
    )
    text = record(raised(ValueError(hidden)), home, task=hidden, request=hidden).text
    for secret in (str(home), "ada", "bob", "eve", "hush", "qwertyuiop", "zzz999", "pw1", "hf_abc", __file__):
        assert secret not in text, secret
    for left in ("<data folder>/runs/3", "~/x.zip", "~/y", "~\\z", "<lab>/unlearn_core/store", "@db/lab"):
        assert left in text, left
    assert scrub("/srv/people/adam and /srv/people/ada.", home) == "/srv/people/adam and ~."


def test_an_exception_is_recorded_once(home: Path) -> None:
    problem = raised(ValueError("shapes"))
    assert record(problem, home, task="a").id == record(problem, home, task="b").id
    assert len(list((home / FOLDER).iterdir())) == 1


def test_an_error_that_comes_back_has_one_report(home: Path) -> None:
    first, second = (record(raised(ValueError("shapes")), home, task="the page run") for _ in range(2))
    assert first.id == second.id != record(raised(ValueError("shapes")), home, task="the page start").id
    assert len(list((home / FOLDER).iterdir())) == 2


def test_the_newest_reports_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_report, "MAX_REPORTS", 2)
    found = []
    for number in range(4):
        found.append(record(raised(ValueError(number)), home, task="a"))
        assert found[-1].path is not None
        moment = time.time() - 9 + number
        os.utime(found[-1].path, (moment, moment))
    assert [find(home, report.sentence) is not None for report in found] == [False, False, True, True]


@pytest.mark.parametrize("place", ["removed", "a file"])
def test_recording_fails_where_nothing_can_be_written_without_a_second_error(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    if place == "a file":
        folder.write_text("in the way")
    report = record(raised(ValueError("x")), folder, task="a")
    assert report.path is None and report.id in report.text and find(folder, report.sentence) is None
    assert not folder.is_dir(), "a data folder that was removed stays removed"


@pytest.mark.parametrize("sentence", ["", "Error id", "Error id ../../x", "Error id 00000000.", "Error id ABCDEF01."])
def test_a_sentence_without_a_report_leads_to_none(home: Path, sentence: str) -> None:
    assert find(home, sentence) is None


def test_how_a_process_died_is_recorded_too(home: Path) -> None:
    report = record("The process exited twice.", home, task="run 3")
    assert report.sentence == f"The process exited twice. Error id {report.id}."
    assert "The process exited twice." in report.text and "Traceback" not in report.text


def test_an_exception_without_words_is_recorded_too(home: Path) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    report = record(raised(Mute()), home, task="a")
    assert "a computation failed (Mute)" in report.sentence and "Mute" in report.text


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ZeroDivisionError(), "the program, or a plug-in, has a mistake (ZeroDivisionError)"),
        (RuntimeError("a\n  b"), "a computation failed (RuntimeError: a b)"),
        (ModuleNotFoundError("No module named 'x'"), "a part of the program could not be loaded (ModuleNotFoundError"),
        (OSError(errno.EACCES, "Permission denied"), "a file or folder may not be used (PermissionError"),
        (ConnectionResetError(), "a connection failed (ConnectionResetError)"),
        (OSError("disk"), "a file or device could not be used (OSError: disk)"),
        (ValueError("no file \udcff"), "(ValueError: no file \\udcff)"),
        (ValueError("x" * 999), f"(ValueError: {'x' * 200})"),
    ],
)
def test_an_error_is_described_in_words(problem: Exception, words: str) -> None:
    assert words in describe(problem)


def test_what_was_foreseen_needs_no_report(home: Path) -> None:
    assert "ran out of memory" in (foreseen_reason(MemoryError(), home) or "")
    assert "is full" in (foreseen_reason(OSError(errno.ENOSPC, "x"), home) or "")
    assert foreseen_reason(ValueError("x"), home) is None
