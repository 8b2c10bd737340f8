"""Devices are resolved by name, without a silent fallback."""

import pytest

from unlearn_core.domain.errors import DeviceNotFoundError
from unlearn_core.engine import devices


def test_auto_is_a_gpu_if_there_is_one_else_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert devices.list_devices() == ["cuda:0", "cuda:1", "cpu"]
    assert devices.resolve_device("auto") == devices.resolve_device("cuda") == "cuda:0"
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert devices.resolve_device("auto") == "cpu"


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    for name in ("cuda", "cuda:0", "tpu"):
        with pytest.raises(DeviceNotFoundError, match="It has: cpu"):
            devices.resolve_device(name)
