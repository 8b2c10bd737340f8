"""The lab's web server as a process of its own, with a data folder of its own, for as long as it is measured."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from unlearn_core.installation import IMPORT_DIR, ROOT
from unlearn_core.settings import variable

START_SECONDS = 120.0
"""Seconds that a server may take to answer on a busy machine."""
REPORT_SECONDS = 60.0
"""Seconds that it may take to report on itself."""


class WebServer:
    """`with WebServer(home) as server: server.url("history")`; at the end the server and its worker are stopped."""

    def __init__(self, home: Path, *, worker: str = "auto") -> None:
        self.home, self._report = home, home / "server-report.json"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        path = os.pathsep.join(filter(None, [str(IMPORT_DIR), os.environ.get("PYTHONPATH")]))
        self._environment = os.environ | {variable("home"): str(home), variable("worker"): worker, "PYTHONPATH": path}

    def url(self, page: str = "") -> str:
        """Return the URL of a page, such as "run?id=1"."""
        return f"http://127.0.0.1:{self._port}/{page}"

    def __enter__(self) -> Self:
        """Start the server, and return once it answers. Raises RuntimeError with its log if it does not."""
        command = [
            sys.executable,
            "-m",
            f"{__package__}.measured_server",
            str(self._report),
            "run",
            str(ROOT / "app.py"),
        ]
        options = ["--server.headless=true", f"--server.port={self._port}", "--server.address=127.0.0.1"]
        log = self.home / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us, who then stop it.
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError(f"The web server did not start:\n{log.read_text()[-4_000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stop_worker(self._environment)

    def report(self) -> dict[str, Any]:
        """Return what the server has used since its start, and what it has done since the last report.

        See `measured_server`. Raises RuntimeError if it does not answer.
        """
        self._report.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + REPORT_SECONDS
        while not self._report.exists():
            if time.monotonic() > end:
                raise RuntimeError("The web server does not report on itself.")
            time.sleep(0.02)
        return json.loads(self._report.read_text())

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url("_stcore/health"), timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


def stop_worker(environment: Mapping[str, str]) -> None:
    """Stop the worker that a server with these environment variables started, if there is one."""
    command = [sys.executable, "-m", "unlearn_core", "worker", "--stop"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=60)
