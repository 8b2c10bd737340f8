"""What a sandboxed process may do, how it may end, and that it never brings down more than itself."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unlearn_core.data import sandbox
from unlearn_core.data.sandbox import Limits, SandboxError

MOST = Limits(memory=1 << 29, seconds=30, file_bytes=1 << 20)
ROOT = Path(__file__).resolve().parents[3]


def run(name: str, limits: Limits = MOST, **job: Any) -> dict[str, Any]:
    return sandbox.run(f"tests.data.sandbox.sandbox_jobs:{name}", job, limits)


def end(name: str, limits: Limits = MOST, **job: Any) -> tuple[str, str]:
    """Why there was no result."""
    with pytest.raises(SandboxError) as ended:
        run(name, limits, **job)
    return ended.value.cause, ended.value.reason


def test_the_function_gets_its_job_in_a_limited_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    got = run("reports_limits", Limits(memory=1 << 29, seconds=7, file_bytes=5000, threads=3), names=["ä", 1])
    assert got["job"] == {"names": ["ä", 1]} and got["pid"] != os.getpid()
    assert (got["AS"], got["CPU"], got["FSIZE"]) == ([1 << 29] * 2, [21, 22], [5000] * 2)
    assert got["CORE"] == [0, 0] and got["lowered"] == [10, 10] and "memory" in got["refused"]
    assert set(got["environment"]) <= {*sandbox.ENVIRONMENT, "LC_CTYPE"}


@pytest.mark.parametrize(
    ("name", "limits", "cause", "reason"),
    [
        ("refuses", MOST, "refused", "It is no file of ours."),
        ("allocates", MOST, "memory", ""),
        ("is_killed", MOST, "memory", ""),
        ("exceeds_cpu", MOST, "time", ""),
        ("segfaults", MOST, "crash", "signal 11: no output"),
    ],
)
def test_why_it_ended(name: str, limits: Limits, cause: str, reason: str) -> None:
    assert end(name, limits) == (cause, reason)


def test_a_process_that_never_gives_its_processor_back() -> None:
    assert end("spins", Limits(memory=1 << 29, seconds=1, file_bytes=1 << 20)) == ("time", "")


def test_a_fault_is_described_by_its_last_line_which_may_be_long() -> None:
    cause, reason = end("raises", text="y" * 500)
    assert cause == "crash" and reason.startswith("exit code 1: KeyError: 'yyy") and len(reason) < 150


def test_files_are_limited(tmp_path: Path) -> None:
    file = str(tmp_path / "file")
    assert run("writes", file=file, size=1 << 20) == {"size": 1 << 20}
    assert end("writes", file=file, size=(1 << 20) + 1) == ("refused", "It cannot be written: File too large.")


def test_what_libraries_print_is_no_answer() -> None:
    assert run("chats", text="the answer") == {"text": "the answer"}


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ({"texts": ["what you like\n"]}, "what it wrote is no answer"),
        ({"texts": ["1\n"]}, "what it wrote is no answer"),
        ({"texts": ["[1, 2]\n"]}, "what it wrote is no answer"),
        ({"texts": ['["decode", "many", []]\n']}, "what it wrote is no answer"),
        ({"texts": ["[" * 60_000 + "\n"]}, "what it wrote is no answer"),
        ({"texts": ["\xff\n"]}, "what it wrote is no answer"),
        ({"texts": ["x" * (1 << 20)], "times": 70}, "what it wrote is no answer"),
        ({"texts": [], "close": True}, "it closed its output"),
    ],
    ids=["text", "a number", "too short", "no numbers", "deep", "no UTF-8", "no end", "closed"],
)
def test_a_process_that_was_taken_over_ends_with_a_sentence(job: dict[str, Any], reason: str) -> None:
    assert end("is_taken_over", **job) == ("crash", reason)


def test_a_cancel_ends_the_process(tmp_path: Path) -> None:
    began: list[subprocess.Popen] = []

    class Enough(Exception):
        pass

    def stop(phase: str, done: int, total: int) -> None:
        assert (phase, done, total) == ("decode", 60, 180) and (tmp_path / "images.npy").exists()
        raise Enough

    begin = subprocess.Popen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *how, **more: began.append(begin(*how, **more)) or began[0])
        with pytest.raises(Enough):
            sandbox.run("tests.data.sandbox.sandbox_jobs:hangs", {"out": str(tmp_path)}, MOST, stop)
    assert began[0].returncode == -9


def test_it_has_no_network() -> None:
    allowed = subprocess.run(
        [
            sys.executable,
            "-c",
            "from unlearn_core.data.sandbox import child; raise SystemExit(not child.leave_network())",
        ],
        cwd=ROOT,
        check=False,
    )
    if allowed.returncode:
        pytest.skip("the kernel does not let this user leave the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        cause, reason = end("connects", port=server.getsockname()[1])
    assert cause == "refused" and reason.startswith("No network:")
