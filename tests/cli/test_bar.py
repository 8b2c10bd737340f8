"""The progress bar of commands; and how long their job takes, which they say, and ask about if it may be hours."""

import io
import sys
from pathlib import Path

import pytest

from unlearn_core.__main__ import main
from unlearn_core.cli import _forecast
from unlearn_core.cli._terminal import WIDTH, ProgressBar, format_line
from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Phase, Progress
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.models import classifiers
from unlearn_core.store.queue import cpu_load
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import cpu_threads


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


QUICK, LONG = Forecast(15.0, 24.0, measured=True), Forecast(7_200.0, 18_000.0, measured=False)
REQUEST = ["--classifier", "tiny", "--forget-classes", "rows,discs"]
SWEEP = ["sweep", *REQUEST, "--method", "finetune", "--hyperparameter", "lr", "--trials", "4"]


def on_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> Terminal:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", stderr)
    return stderr


@pytest.mark.parametrize(("answer", "starts"), [("y\n", True), (" YES\n", True), ("n\n", False), ("", False)])
def test_a_job_of_hours_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str, starts: bool) -> None:
    stderr = on_terminal(monkeypatch, answer)
    if starts:
        _forecast.say_and_ask(LONG, yes=False)
    else:
        with pytest.raises(CancelledError, match="--yes"):
            _forecast.say_and_ask(LONG, yes=False)
    assert stderr.getvalue() == "It takes 2 to 5 hours on a typical CPU.\nStart it? [y/N] "


def test_nothing_is_asked_about_a_short_job_or_with_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = on_terminal(monkeypatch, "n\n")
    _forecast.say_and_ask(QUICK, yes=False)
    _forecast.say_and_ask(LONG, yes=True)
    _forecast.say_and_ask(None, yes=False)
    assert stderr.getvalue() == "It takes 15 to 25 s on this machine.\nIt takes 2 to 5 hours on a typical CPU.\n"


def test_without_a_terminal_there_is_nobody_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    _forecast.say_and_ask(LONG, yes=False)
    assert capsys.readouterr().err == "It takes 2 to 5 hours on a typical CPU.\n"


@pytest.mark.parametrize("command", [["gold", *REQUEST], SWEEP, ["run", *REQUEST, "--method", "finetune"]])
def test_no_starts_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    store = RunStore(home)
    spec = run_spec("tiny", method="finetune", classes=["rows"])
    for _ in range(3):
        number = store.execution.register_running(spec, title="slow", device="cpu")
        store.execution.finish(number, 1, metrics=RunMetrics(seconds_per_image=60.0))
    stderr = on_terminal(monkeypatch, "n\n")
    assert main(command) == 130
    assert "Start it? [y/N] Not started." in stderr.getvalue()
    assert len(store.list_runs()) == 3 and not store.sweeps.list_recent()
    if command[0] != "run":  # It would be made at once.
        assert main([*command, "--yes"]) == 0
        assert len(store.list_runs()) + len(store.sweeps.list_recent()) == 4


def test_a_sweep_of_hours_says_its_budget(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SWEEP[:-2], "--minutes", "90"]) == 0
    assert "It takes about 1.5 hours on this machine." in capsys.readouterr().err


def test_a_training_of_hours_asks_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, recipe = RunStore(home), classifiers.card("tiny").required_recipe
    for _ in range(3):
        spec = TrainSpec(architecture="tiny", dataset="shapes", recipe=recipe)
        number = store.execution.register_running(spec, title="slow", device="cpu")
        store.execution.finish(number, 1, metrics=RunMetrics(seconds_per_image=60.0))
    stderr = on_terminal(monkeypatch, "n\n")
    assert main(["train", "--classifier", "tiny", "--dataset", "shapes", "--device", "cpu"]) == 130
    assert "Start it? [y/N] Not started." in stderr.getvalue() and len(store.list_runs()) == 3


def test_threads_follow_the_load_unless_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    adapted: list[float | None] = []
    for name in cpu_threads.WAIT_VARIABLES:
        monkeypatch.setenv(name, "passive")
    monkeypatch.setattr(cpu_load, "measure", lambda: 1.5)
    monkeypatch.setattr(cpu_threads, "adapt", lambda load, cores: adapted.append(load))
    monkeypatch.setattr(cpu_threads, "is_set_outside", lambda: True)
    _forecast.adapt_threads()
    assert adapted == []
    monkeypatch.setattr(cpu_threads, "is_set_outside", lambda: False)
    _forecast.adapt_threads()
    assert adapted == [1.5]
