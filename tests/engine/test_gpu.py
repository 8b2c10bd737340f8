"""The same runs on a GPU; these tests need one (`pytest -m gpu`)."""

import os
from pathlib import Path

import pytest
import torch

from tests.methods.small_problem import STRONG, tiny_spec
from unlearn_core.data import user_catalog
from unlearn_core.domain.jobs import ImportDatasetSpec, TrainSpec
from unlearn_core.domain.recipe import GPU_RECIPES
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.engine import devices
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import import_dataset
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.listener import NullListener

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.device_count(), reason="there is no GPU on this machine"),
]


def test_auto_means_the_first_gpu() -> None:
    assert devices.resolve_device("auto") == "cuda:0" == devices.resolve_device("cuda")


def test_a_run_on_the_gpu_forgets_and_repeats_itself(home: Path, tmp_path: Path) -> None:
    runs = [
        unlearn(tiny_spec("unsir", **STRONG), device="cuda", data_dir=home, out=tmp_path / str(k)) for k in range(2)
    ]
    for run in runs:
        scores = run.report[AccuracyResult].scores["after"]
        assert scores["forget_test"].accuracy < 0.2 and scores["retain_test"].accuracy > 0.8
    assert runs[0].metrics.weights == runs[1].metrics.weights
    assert runs[0].report[TimingsResult].device != "CPU"


@pytest.mark.parametrize(("architecture", "accuracy", "seconds"), [("resnet18", 0.94, 60), ("resnet20", 0.91, 20)])
def test_training_here_is_fast(home: Path, architecture: str, accuracy: float, seconds: float) -> None:
    """The targets on one H100 or H200 with the whole of CIFAR-10; a first, short training warms the device up."""
    if not os.environ.get("UNLEARN_DATA_ROOT"):
        pytest.skip("UNLEARN_DATA_ROOT names no folder with the whole of CIFAR-10")
    user_catalog.set_data_dir(home)
    import_dataset.import_locally(
        ImportDatasetSpec(dataset="cifar10-whole", title="CIFAR-10", source="cifar10", size=32), home, NullListener()
    )
    recipe = GPU_RECIPES[architecture]
    for epochs in (1, recipe.epochs):
        spec = TrainSpec(
            architecture=architecture, dataset="cifar10-whole", recipe=recipe.model_copy(update={"epochs": epochs})
        )
        _, metrics = train_locally(spec, device="cuda", data_dir=home, listener=NullListener())
    print(architecture, metrics)
    assert metrics.accuracies is not None and (metrics.accuracies.test or 0) >= accuracy
    assert 0 < metrics.total_seconds <= seconds
