"""The load of other programs: measured from Linux's counters, without the lab's own processes, and published."""

import os
import threading
import time
from pathlib import Path

import pytest

from unlearn_core.store.queue import cpu_load, processes
from unlearn_core.store.queue.cpu_load import LoadMeter

TICKS = os.sysconf("SC_CLK_TCK")


class Counters:
    """A folder like /proc with two cores, and a clock; all times are in seconds."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now = folder, 100.0
        monkeypatch.setattr(cpu_load, "PROC", folder)
        monkeypatch.setattr(cpu_load.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)

    def at(self, moment: float, *cores: float, own: dict[int, float], nice: float = 0.0) -> None:
        self.now = 100.0 + moment
        lines = [
            f"cpu{number} {int(seconds * TICKS)} {int(nice * TICKS)} 0 99 7 0 0 0 0 0"
            for number, seconds in enumerate(cores)
        ]
        (self.folder / "stat").write_text("\n".join(["cpu 1 2 3 4 5 6 7 8 9 10", *lines, "cpu2 999999 0 0 0 0 0 0 0"]))
        for pid, seconds in own.items():
            (self.folder / str(pid)).mkdir(exist_ok=True)
            fields = ["S", *["0"] * 10, str(int(seconds * TICKS)), "0", "0", "0", *["0"] * 10]
            (self.folder / str(pid) / "stat").write_text(f"{pid} (a b) c) {' '.join(fields)}")


@pytest.fixture
def counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counters:
    return Counters(tmp_path, monkeypatch)


def test_it_is_what_is_busy_without_ones_own(counters: Counters) -> None:
    meter = LoadMeter()
    assert meter.load() is None
    counters.at(0.0, 10.0, 20.0, own={7: 5.0})
    meter.sample([7])
    assert meter.load() is None, "one sample says nothing"
    counters.at(2.0, 11.5, 21.0, own={7: 6.0})
    meter.sample([7, 7])
    assert meter.load() == pytest.approx((2.5 - 1.0) / 2)
    counters.at(4.0, 11.5, 21.0, own={7: 9.0})
    meter.sample([7])
    assert meter.load() == 0.0, "never below"


def test_nice_programs_count_and_foreign_cores_do_not(counters: Counters) -> None:
    meter = LoadMeter()
    counters.at(0.0, 1.0, 1.0, own={})
    meter.sample([])
    counters.at(1.0, 1.0, 1.0, own={}, nice=0.5)
    meter.sample([])
    assert meter.used() == pytest.approx(1.0), "half a second on each of two cores"


def test_on_full_cores_those_who_wait_count_too(counters: Counters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (6.5, 1.0, 1.0))
    meter = LoadMeter()
    for moment, first, second in ((0.0, 0.0, 0.0), (1.0, 1.0, 0.9)):
        counters.at(moment, first, second, own={})
        meter.sample([])
    assert (meter.used(), meter.load()) == (pytest.approx(1.9), 6.5)
    counters.at(6.0, 1.5, 1.4, own={})
    meter.sample([])
    assert meter.load() == meter.used() == pytest.approx(1.0 / 5), "the load average is of the last minute"


def test_only_the_last_seconds_count(counters: Counters) -> None:
    meter = LoadMeter()
    for second in range(20):
        counters.at(float(second), min(second, 10.0), 0.0, own={})
        meter.sample([])
        if second == 8:
            assert meter.load() == pytest.approx(1.0)
    assert meter.load() == 0.0


def test_processes_come_and_go(counters: Counters) -> None:
    meter = LoadMeter()
    counters.at(0.0, 0.0, 0.0, own={3: 50.0})
    meter.sample([3])
    counters.at(2.0, 2.0, 0.0, own={4: 1.0})
    meter.sample([4, 5])
    assert meter.load() == pytest.approx(0.5), "the new one's second is its own; the dead one does not count"


def test_without_counters_it_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_load, "PROC", tmp_path / "nothing")
    assert cpu_load.measure(0.0) is None
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "stat").write_text("cpu0 not numbers at all\n")
    assert cpu_load.measure(0.0) is None


@pytest.mark.skipif(not (processes.PROC / "stat").exists(), reason="Linux only")
def test_the_real_counters_are_read() -> None:
    found = cpu_load.measure(0.1)
    assert found is not None and found >= 0.0


def test_a_worker_tells_the_others(tmp_path: Path) -> None:
    assert cpu_load.published(tmp_path) is None
    cpu_load.publish(tmp_path, 1.234)
    assert cpu_load.published(tmp_path) == 1.23
    file = tmp_path / "locks" / cpu_load.FILE
    old = time.time() - cpu_load.OUTDATED - 1
    os.utime(file, (old, old))
    assert cpu_load.published(tmp_path) is None, "a worker that is gone says nothing about now"
    cpu_load.publish(tmp_path, None)
    assert cpu_load.published(tmp_path) is None


def test_a_full_disk_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    cpu_load.publish(tmp_path, 1.0)
    assert cpu_load.published(tmp_path) is None


def test_a_reader_never_meets_half_a_load(tmp_path: Path) -> None:
    cpu_load.publish(tmp_path, 2.0)
    end = time.monotonic() + 0.5

    def write() -> None:
        while time.monotonic() < end:
            cpu_load.publish(tmp_path, 2.0)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert cpu_load.published(tmp_path) == 2.0
    writer.join()
