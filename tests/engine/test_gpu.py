"""The same road on a GPU; these tests ask for one (`pytest -m gpu`)."""

from pathlib import Path

import pytest
import torch

from tests.methods.laid_out import STRONG, tiny_spec
from unlearn_core.engine import devices
from unlearn_core.engine.execute import unlearn

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.device_count(), reason="there is no GPU on this machine"),
]


def test_auto_means_the_first_gpu() -> None:
    assert devices.resolve("auto") == "cuda:0" == devices.resolve("cuda")


def test_a_run_on_the_gpu_forgets_and_repeats_itself(home: Path, tmp_path: Path) -> None:
    runs = [unlearn(tiny_spec("unsir", **STRONG), device="cuda", home=home, out=tmp_path / str(k)) for k in range(2)]
    for run in runs:
        assert run.headline["accuracy"]["after"]["forget_test"] < 0.2
        assert run.headline["accuracy"]["after"]["retain_test"] > 0.8
    assert runs[0].headline["weights"] == runs[1].headline["weights"]
    assert runs[0].report.parts["timings"].facts["device"] != "CPU"
