"""A server's account of itself: what it used, and where its threads worked."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from unlearn_core.benchmarks.pages import measured_server
from unlearn_core.benchmarks.pages.measured_server import Sampler


@pytest.fixture
def working() -> Iterator[threading.Event]:
    """While it is not set, a thread computes."""
    ended = threading.Event()

    def compute() -> None:
        while not ended.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=compute)
    thread.start()
    yield ended
    ended.set()
    thread.join()


def test_what_threads_do_is_counted_and_what_they_wait_for_is_not(tmp_path: Path, working: threading.Event) -> None:
    waiting = threading.Thread(target=working.wait)
    waiting.start()
    sampler = Sampler(tmp_path / "report.json")
    former = signal.getsignal(signal.SIGUSR1)
    try:
        sampler.start()
        end = time.monotonic() + 20
        while sampler.samples < 10 and time.monotonic() < end:
            time.sleep(0.01)
        signal.raise_signal(signal.SIGUSR1)
        while not sampler.report.exists() and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGUSR1, former)
    found = json.loads(sampler.report.read_text())
    assert found["samples"] > 9
    computing = [name for name in found["at"] if name == "tests/benchmarks/pages/test_measured_server.py compute"]
    assert computing and 0 < found["at"][computing[0]] <= found["inside"][computing[0]]
    assert not [name for name in found["at"] if name.startswith("threading.py wait")]


def test_usage_is_that_of_this_process() -> None:
    before = measured_server.usage()
    with Path("/dev/null").open():
        during = measured_server.usage()
    assert during["files"] == before["files"] + 1
    assert during["cpu"] >= before["cpu"] > 0
    assert during["memory"] > 20
