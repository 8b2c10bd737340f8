"""`lesson check`: what is wrong with a lesson, before anybody sees it."""

from pathlib import Path

import pytest

from unlearn_core.__main__ import main
from unlearn_core.store.files.lesson_files import LESSONS_DIR


def test_the_lessons_that_ship_are_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "check"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 8 and all(line.endswith(": good") for line in said)


def test_what_is_wrong_is_listed_by_file(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (LESSONS_DIR / "unsir.md").read_text()
    (tmp_path / "good.md").write_text(text)
    (tmp_path / "claims.md").write_text(text.replace("claims: forget = partly", "claims: forget = as retrained"))
    (tmp_path / "form.md").write_text("# Hello")
    (tmp_path / "gone.md").write_text(text.replace("runs: unsir-ship,", "runs: 99,"))
    (tmp_path / "name.md").write_text(text.replace("runs: unsir-ship,", "runs: x,"))
    assert main(["lesson", "check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "good.md: good" in said and "claims.md: 1 to mend" in said
    assert "The title claims forget = as retrained; run 1 says partly." in said
    assert "form.md does not begin with its fields" in said
    assert "There is no report in" in said and "no shipped run called 'x'" in said
    assert main(["lesson", "check", str(tmp_path / "form.md")]) == 1


def test_a_folder_without_lessons_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "check", str(tmp_path)]) == 2
    assert "no lesson" in capsys.readouterr().err
