"""`serve` starts the app with the options given, passes signals on, and stops its idle worker at the end."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from unlearn_core.__main__ import build_parser
from unlearn_core.cli import serve
from unlearn_core.installation import ROOT
from unlearn_core.store.queue.run_store import RunStore

START = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
LONG = 120.0
"""Seconds that server and worker may take on a busy machine."""


def parsed(*words: str) -> argparse.Namespace:
    return build_parser(["serve"]).parse_args(["serve", *words])


def test_host_port_and_further_options_are_passed_on() -> None:
    assert serve.command(parsed()) == START
    assert serve.command(parsed("--")) == START
    assert serve.command(parsed("--host", "::1", "--port", "8600")) == [
        *START,
        "--server.address=::1",
        "--server.port=8600",
    ]
    assert serve.command(parsed("--port", "8600", "--", "--server.headless", "true")) == [
        *START,
        "--server.port=8600",
        "--server.headless",
        "true",
    ]


def test_a_port_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--port", "http")
    assert "invalid int value" in capsys.readouterr().err


def test_make_run_serves() -> None:
    words = ["make", "--dry-run", "--no-print-directory", "--old-file=.venv/.ready-to-run", "run"]
    # not the flags of the `make test` that this runs in
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    said = subprocess.run([*words, "ARGS=--server.port 8600"], cwd=ROOT, env=alone, capture_output=True, text=True)
    assert said.stdout.splitlines()[-1] == ".venv/bin/python -m unlearn_core serve -- --server.port 8600", said.stderr


def _default_signals() -> None:
    """As in a terminal: a child inherits what its parent ignores, which under nohup is SIGHUP."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def served(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command as a process, started in another folder, once its server answers; and the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"UNLEARN_HOME": "home", "UNLEARN_WORKER": "auto", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "unlearn_core", "serve", "--port", str(port), "--", "--server.headless", "true", *words],
        cwd=home.parent,
        env=environment | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_default_signals,
    )
    try:
        until(lambda: process.poll() is not None or answers(port))
        yield process, port
    finally:
        process.terminate()
        process.communicate(timeout=LONG)
        RunStore(home)  # The folder was used, although it is named relative to the folder of the command.


def until(condition: object) -> None:
    end = time.monotonic() + LONG
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
        return answer.status == 200
    return False


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_and_its_idle_worker(home: Path, number: signal.Signals) -> None:
    store = RunStore(home)
    with served(home) as (process, port):
        until(lambda: [worker.state for worker in store.workers()] == ["idle"])
        process.send_signal(number)
        said, _ = process.communicate(timeout=LONG)
        assert process.returncode == 0, said
        assert "The worker on cpu" in said and "has stopped." in said
        assert not answers(port)
    assert not store.workers()
    assert not list((home / "locks").glob("web-*"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_that_cannot_start_is_an_error(home: Path) -> None:
    with served(home, "--server.nonsense", "1") as (process, _):
        said, _ = process.communicate(timeout=LONG)
        assert process.returncode not in (0, None)
        assert "nonsense" in said
