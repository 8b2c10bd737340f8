"""The number of threads follows the idle cores, but never against a number that was set from outside."""

import os
import subprocess
import sys

import pytest
import torch

from unlearn_core.domain.errors import InvalidSettingError
from unlearn_core.settings import settings
from unlearn_core.training import cpu_threads


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No number is set from outside, there are eight cores, and torch's number is a list with one entry."""
    for name in cpu_threads.COUNT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    threads = [8]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[0])
    monkeypatch.setattr(torch, "set_num_threads", lambda number: threads.__setitem__(0, number))
    monkeypatch.setattr(cpu_threads, "_most_threads", lambda: 8)
    return threads


@pytest.mark.parametrize(
    ("most", "cores", "load", "expected"),
    [
        *((2, 2, None, 2), (2, 2, 0.0, 2), (2, 2, 0.4, 2), (2, 2, 0.6, 1), (2, 2, 1.0, 1), (2, 2, 2.0, 1)),
        *((2, 2, 9.0, 1), (16, 16, 3.2, 13), (4, 8, 3.0, 4), (1, 1, 0.0, 1)),
    ],
)
def test_threads_are_as_many_as_idle_cores(most: int, cores: int, load: float | None, expected: int) -> None:
    assert cpu_threads.idle_cores(most, cores, load) == expected


def test_they_follow_the_load_down_and_up_again(free: list[int]) -> None:
    assert [cpu_threads.adapt(load, 8) for load in (None, 6.0, 20.0, 0.1)] == [8, 2, 1, 8]
    assert free == [8]


def test_a_setting_goes_before_the_load(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_THREADS", "3")
    assert [cpu_threads.adapt(load, 8) for load in (0.0, 7.0)] == [3, 3]
    monkeypatch.setenv("UNLEARN_THREADS", "0")
    with pytest.raises(InvalidSettingError, match="UNLEARN_THREADS is '0': set it to a whole number of at least 1"):
        settings()


@pytest.mark.parametrize("name", cpu_threads.COUNT_VARIABLES)
def test_a_number_from_outside_stays(free: list[int], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "8")
    monkeypatch.setenv("UNLEARN_THREADS", "3")
    assert cpu_threads.adapt(7.0, 8) == 8
    cpu_threads.use(2)
    assert free == [8]
    monkeypatch.setenv(name, "")
    cpu_threads.use(2)
    assert free == [2], "an empty variable sets nothing"


@pytest.mark.parametrize("name", cpu_threads.WAIT_VARIABLES)
def test_how_threads_wait_is_not_changed_against_the_outside(name: str) -> None:
    environment = {name: "ACTIVE"}
    cpu_threads.limit_spinning(environment)
    assert environment == {name: "ACTIVE"}
    environment = {name: ""}
    cpu_threads.limit_spinning(environment)
    assert environment["GOMP_SPINCOUNT"] == cpu_threads.SPIN_COUNT


@pytest.mark.slow
def test_torch_obeys_a_number_that_changes_between_jobs() -> None:
    """In a process of its own: real threads, two, then one, then two again, with equal results for equal numbers."""
    code = (
        "import torch\n"
        "from unlearn_core.training import cpu_threads\n"
        "torch.set_num_threads(2); cpu_threads._most_threads()\n"
        "print(*(cpu_threads.adapt(load, 2) for load in (0.0, 2.0, 0.0)), torch.get_num_threads())\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in cpu_threads.COUNT_VARIABLES}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.split() == ["2", "1", "2", "2"]
