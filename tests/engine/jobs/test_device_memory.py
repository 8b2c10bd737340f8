"""Memory on a GPU, here a mock of one: measured in a run, and what is missing is said before the next."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import DeviceMemoryError
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.forecasts import device_memory
from unlearn_core.engine.forecasts.device_memory import FILE, checked
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
        monkeypatch.setattr(device_memory.torch.cuda, name, answer)
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
    with pytest.raises(DeviceMemoryError) as refusal, checked(resolved, cache):
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


def test_on_a_cpu_nothing_is_measured(home: Any) -> None:
    unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    assert not (home / FILE).exists()
