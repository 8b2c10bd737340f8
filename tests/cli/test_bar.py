"""The progress bar: real steps, few redraws, and nothing but plain lines where there is no terminal."""

import io

import pytest

from unlearn_core.cli._bar import WIDTH, ProgressBar, format_line
from unlearn_core.domain.run import Phase, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(done: int, doing: str = "repair") -> Progress:
    return Progress((Phase("impair", 10, 10, 1.0), Phase("repair", 30, done, 0.5)), doing, None)


@pytest.mark.parametrize(("done", "filled"), [(0, WIDTH // 4), (14, WIDTH * 24 // 40), (30, WIDTH)])
def test_line_counts_steps(done: int, filled: int) -> None:
    text = format_line(progress(done), 2.0)
    assert text.count("#") == filled
    assert text.count(".") - 1 == WIDTH - filled
    assert f"{10 + done} of 40 steps, 2.0 s" in text


def test_a_terminal_gets_one_line_that_is_cleared() -> None:
    stream = Terminal()
    with ProgressBar(stream) as bar:
        for done in range(31):
            bar.progress(progress(done))
        bar.progress(progress(30, "measuring"))
    text = stream.getvalue()
    assert "\n" not in text
    assert 3 <= text.count("of 40 steps") < 31
    assert text.split("\r")[-2].strip() == ""


def test_elsewhere_a_line_a_phase() -> None:
    stream = io.StringIO()
    with ProgressBar(stream) as bar:
        for done in range(31):
            bar.progress(progress(done))
        bar.progress(progress(30, "measuring"))
    assert stream.getvalue() == "repair ...\nmeasuring ...\n"
