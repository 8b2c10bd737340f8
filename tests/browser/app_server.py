"""The real app as a process, and the worker that it starts."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from unlearn_core.benchmarks.pages.web_server import stop_worker

ROOT = Path(__file__).resolve().parents[2]
START = 120.0
"""Seconds that a server may take to come up on a busy machine."""


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Served:
    """`with Served(home) as app: app.address("run?id=1")`; ends server and worker, and says what they said."""

    def __init__(self, home: Path, *, worker: str = "auto", plugins: str = "unlearn_core.testing.tiny") -> None:
        self.home = home
        self.visited = False
        """Whether anybody has asked this server for an address."""
        self.port = free_port()
        # The tiny net is no faster on several threads, and the browser needs a core too.
        threads = {"OMP_NUM_THREADS": "1"} if plugins else {}
        self._env = (
            os.environ
            | threads
            | {
                "UNLEARN_HOME": str(home),
                "UNLEARN_WORKER": worker,
                "UNLEARN_PLUGINS": plugins,
            }
        )
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, page: str = "") -> str:
        """The address of a page of this app."""
        self.visited = True
        return f"http://127.0.0.1:{self.port}/{page}"

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
        self.visited = False
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--server.port", str(self.port)],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The server did not come up:\n{(self.home / 'server.log').read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the server; the worker goes on."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Ends the server as `kill -9` does: it can put nothing in order."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        stop_worker(self._env)
        if kind is not None:
            self.speak(sys.stderr)

    def speak(self, to: TextIO) -> None:
        """Says what server and worker have said of late."""
        for log in self.home.glob("*.log"):
            print(f"--- {log.name}\n{log.read_text()[-4000:]}", file=to)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False
