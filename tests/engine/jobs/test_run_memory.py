"""Memory of a run, on a mock of a GPU and on this CPU: measured, and what is missing is said before the next."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import MissingMemoryError
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.forecasts import memory_meter
from unlearn_core.engine.forecasts.run_memory import FILE, checked
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, resolve_run

GB = 1_000_000_000


class Gpu:
    """A GPU of 8 GB: 1 GB is allocated by this process, which holds another unused."""

    def __init__(self) -> None:
        self.allocated, self.reserved, self.others, self.peak = GB, 2 * GB, 0, 0

    def take(self, count: int) -> None:
        """Allocates so much and frees it again."""
        self.peak = max(self.peak, self.allocated + count)

    def reset_peak_memory_stats(self, _: torch.device) -> None:
        self.peak = self.allocated


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    mock = Gpu()
    answers: dict[str, Any] = {
        "mem_get_info": lambda _: (8 * GB - mock.reserved - mock.others, 8 * GB),
        "memory_reserved": lambda _: mock.reserved,
        "memory_allocated": lambda _: mock.allocated,
        "max_memory_allocated": lambda _: mock.peak,
        "reset_peak_memory_stats": mock.reset_peak_memory_stats,
        "get_device_name": lambda _: "Mock 8",
    }
    for name, answer in answers.items():
        monkeypatch.setattr(memory_meter.torch.cuda, name, answer)
    return mock


@pytest.fixture
def resolved(home: Any) -> ResolvedRun:
    return resolve_run(tiny_spec("finetune"), ModelCache("cpu", home))


def test_what_is_missing_is_said_before_the_next_run(gpu: Gpu, resolved: ResolvedRun, home: Any) -> None:
    cache: Any = SimpleNamespace(device=torch.device("cuda"), data_dir=home)
    with checked(resolved, cache):
        gpu.take(4 * GB)
    gpu.others = 2 * GB
    with checked(resolved, cache):
        gpu.take(3 * GB)  # another forget set
    gpu.others = 4_800_000_000
    with pytest.raises(MissingMemoryError) as refusal, checked(resolved, cache):
        pytest.fail("it computes")
    assert str(refusal.value) == (
        "Unlearning with these settings took at least 3.0 GB of memory on this GPU before, and 2.2 GB are free: "
        "0.8 GB are missing. Choose a smaller batch, or close other programs that use this memory; then start the run "
        "again."
    )
    smaller = resolved._replace(params=resolved.params.updated({"batch": 16}))
    with checked(smaller, cache):
        gpu.take(GB)
    assert "tiny" not in (home / FILE).read_text() and "finetune" not in (home / FILE).read_text()


def test_a_run_that_fails_is_no_measurement(gpu: Gpu, resolved: ResolvedRun, home: Any) -> None:
    cache: Any = SimpleNamespace(device=torch.device("cuda"), data_dir=home)

    def diverge() -> None:
        with checked(resolved, cache):
            gpu.take(GB)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        diverge()
    assert not (home / FILE).exists()
    for text in ("", "[1]", '{"a": "b"}'):
        (home / FILE).write_text(text)
        with checked(resolved, cache):
            gpu.take(7 * GB)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files in which Linux tells how much memory is free and in use."""
    (tmp_path / "self").mkdir()
    monkeypatch.setattr(memory_meter, "PROC", tmp_path)
    monkeypatch.setattr(memory_meter, "GROUP", tmp_path)
    say(tmp_path, free=4_000_000, used=1_000_000, peak=1_000_000)
    return tmp_path


def say(machine: Path, *, free: int, used: int, peak: int) -> None:
    """Writes these numbers of kB."""
    (machine / "meminfo").write_text(f"MemTotal: 8000000 kB\nMemAvailable: {free} kB\n")
    (machine / "self" / "status").write_text(f"Name: python\nVmHWM: {peak} kB\nVmRSS: {used} kB\n")


def test_on_a_cpu_the_growth_of_the_process_counts(machine: Path, resolved: ResolvedRun, home: Any) -> None:
    cache: Any = SimpleNamespace(device=torch.device("cpu"), data_dir=home)
    with checked(resolved, cache):
        say(machine, free=1_000_000, used=1_500_000, peak=3_000_000)
    assert (machine / "self" / "clear_refs").read_text() == "5"
    with (
        pytest.raises(
            MissingMemoryError, match=r"took at least 2\.0 GB .* on this machine before, and 1\.0 GB are free"
        ),
        checked(resolved, cache),
    ):
        pytest.fail("it computes")
    say(machine, free=3_000_000, used=1_000_000, peak=1_000_000)
    (machine / "memory.max").write_text("4000000000")
    (machine / "memory.current").write_text("3500000000")
    with pytest.raises(MissingMemoryError, match=r"0\.5 GB are free: 1\.5 GB are missing"), checked(resolved, cache):
        pytest.fail("it computes")
    (machine / "memory.max").write_text("max")
    with checked(resolved, cache):
        pass


def test_where_it_cannot_be_measured_nothing_is_checked(machine: Path, resolved: ResolvedRun, home: Any) -> None:
    cache: Any = SimpleNamespace(device=torch.device("cpu"), data_dir=home)
    for damage in (lambda: (machine / "self" / "status").write_text(""), lambda: (machine / "meminfo").unlink()):
        damage()
        with checked(resolved, cache):
            pass
    assert not (home / FILE).exists()


A_LARGE_BLOCK = """
import torch
from unlearn_core.engine.forecasts import memory_meter
meter = memory_meter.meter_of(torch.device("cpu"))
assert meter is not None and meter.free() > 0
torch.ones(1_000_000, dtype=torch.uint8)
meter.start()
print(meter.growth())
torch.ones(300_000_000, dtype=torch.uint8)
print(meter.growth())
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_this_process_is_measured() -> None:
    """In a process of its own: this one may keep memory that other tests freed, and use it again without growing."""
    done = subprocess.run([sys.executable, "-c", A_LARGE_BLOCK], capture_output=True, text=True, check=True)
    small, large = map(int, done.stdout.split())
    assert small < 50_000_000 and 250_000_000 < large < 350_000_000


def test_a_run_records_it(home: Any) -> None:
    unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    assert len(json.loads((home / FILE).read_text())) == 1
