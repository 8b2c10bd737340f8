"""A wheel of the project, installed with what it requires in an empty environment, does all that a checkout does."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from unlearn_core.installation import ROOT, VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]  # The libraries take gigabytes, and are downloaded first.

WAIT = 60.0
"""Seconds that a server may take to answer on a busy machine."""

PAGES = """
import json, sys
from streamlit.testing.v1 import AppTest
from unlearn_core.installation import ROOT
from unlearn_core.ui.shell import navigation

app = AppTest.from_file(ROOT.parent / "ui" / "shell" / "router.py", default_timeout=120).run()
shown = {"start": [len(app.exception), app.caption[-1].value]}
for name, page in navigation.PAGES.items():
    if name != "start":
        app.switch_page(str(ROOT / "pages" / page.file)).run()
        shown[name] = [len(app.exception), app.caption[-1].value]
print(json.dumps(shown))
"""
NAMES = """
import sys, unlearn_core
from importlib import metadata
from pathlib import Path
assert "torch" not in sys.modules
assert unlearn_core.__version__ == metadata.version("unlearn-lab")
assert (Path(unlearn_core.__file__).parent / "py.typed").is_file()
report = unlearn_core.read_report(sys.argv[1])
print(unlearn_core.report_file([report], "report.html"))
"""


class Installed(NamedTuple):
    """An environment with the wheel, and an empty folder to work in."""

    bin: Path
    folder: Path

    def environment(self) -> dict[str, str]:
        """The variables of a newcomer: no settings of the lab or of Python, and an empty home."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("UNLEARN_", "PYTHON"))}
        return own | {"HOME": str(self.folder), "XDG_DATA_HOME": "", "OMP_NUM_THREADS": "1"}

    def run(self, program: str, *words: str) -> str:
        """What a program of the environment prints."""
        return told([str(self.bin / program), *words], cwd=self.folder, env=self.environment())


def told(words: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: str) -> list[str]:
    """The files in a folder of the project, by their paths in it."""
    found = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    return [path.relative_to(ROOT).as_posix() for path in found]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install` of the project builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    if shutil.which("uv"):
        told(["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)], cwd=folder)
    else:
        told([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)], cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """An environment of its own, filled by uv from its cache where there is uv, else by pip; removed at the end."""
    folder = tmp_path_factory.mktemp("elsewhere")
    python = folder / "venv" / "bin" / "python"
    if shutil.which("uv"):
        told(["uv", "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], cwd=folder)
        told(["uv", "pip", "install", "--quiet", "--python", str(python), str(wheel)], cwd=folder)
    else:
        told([sys.executable, "-m", "venv", str(folder / "venv")], cwd=folder)
        told([str(python), "-m", "pip", "install", "--quiet", "--no-compile", str(wheel)], cwd=folder)
    (folder / "work").mkdir()
    yield Installed(python.parent, folder / "work")
    shutil.rmtree(folder)


def test_the_wheel_holds_what_a_checkout_has(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"unlearn_lab-{VERSION}-py3-none-any.whl"
    assert len(files("assets")) > 100
    beside = ["app.py", ".streamlit/config.toml", "requirements.txt", *files("pages"), *files("assets")]
    assert {f"unlearn_core/_app/{name}" for name in beside} | set(files("unlearn_core")) <= names
    assert {name.partition("/")[0] for name in names} == {"unlearn_core", f"unlearn_lab-{VERSION}.dist-info"}
    assert wheel.stat().st_size < 40e6


def test_doctor_finds_no_problem(installed: Installed) -> None:
    said = installed.run("unlearn-lab", "doctor")
    assert f"ok       unlearn-lab            {VERSION}, installed in {installed.bin.parent}" in said
    assert f"{installed.folder}/.local/share/unlearn-lab is writable" in said
    assert "No problems found." in said


def test_a_run_and_the_public_names(installed: Installed) -> None:
    words = ["--classifier", "mlp-moons", "--forget-classes", "night", "--method", "finetune", "--json"]
    run = json.loads(installed.run("unlearn-lab", "run", *words))
    assert run["after"]["accuracy"]["forget_test"] < run["before"]["accuracy"]["forget_test"]
    assert Path(run["report"]).is_relative_to(installed.folder / ".local" / "share" / "unlearn-lab")
    assert installed.run("python", "-c", NAMES, run["report"]).strip() == "report.html"
    assert (installed.folder / "report.html").stat().st_size > 1e6


def test_usage_names_the_command(installed: Installed) -> None:
    assert installed.run("unlearn-lab", "--help").startswith("usage: unlearn-lab ")
    assert installed.run("python", "-m", "unlearn_core", "--help").startswith("usage: python -m unlearn_core ")


def test_every_page_is_found_with_its_assets(installed: Installed) -> None:
    shown = json.loads(installed.run("python", "-c", PAGES))
    assert len(shown) >= 10
    assert {name: found for name, found in shown.items() if found != [0, f"Unlearn Lab {VERSION}"]} == {}


def test_serve_answers_with_the_settings_of_the_wheel(installed: Installed) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [installed.bin / "unlearn-lab", "serve", "--port", str(port), "--", "--server.headless=true"],
        cwd=installed.folder,
        env=installed.environment() | {"UNLEARN_WORKER": "none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        end = time.monotonic() + 120
        while (found := answer(port, "_stcore/health")) is None and server.poll() is None:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.2)
        assert found == (200, "ok")
        status, page = answer(port, "") or (0, "")
        assert status == 200 and "<title>" in page
        assert [connects(port, host) for host in ("127.0.0.1", "elsewhere.example")] == [101, 403]
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=WAIT)
    assert server.returncode == 0, said


def answer(port: int, path: str) -> tuple[int, str] | None:
    """Status and text of an answer; None if there is no server yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=WAIT) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.reason
    except OSError:
        return None


def connects(port: int, host: str) -> int:
    """The status of the connection that a browser opens under this name; config.toml says which names are allowed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    for name, value in {"Host": host, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **upgrade}.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()
