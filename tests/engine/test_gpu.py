"""The same road on a GPU; these tests ask for one (`pytest -m gpu`)."""

import os
from pathlib import Path

import pytest
import torch

from tests.methods.small_problem import STRONG, tiny_spec
from unlearn_core.data import user_catalog
from unlearn_core.domain.jobs import ImportSpec, TrainSpec
from unlearn_core.domain.recipe import FAST
from unlearn_core.engine import devices
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import import_dataset
from unlearn_core.engine.jobs.train_classifier import train_here
from unlearn_core.engine.listener import Nobody

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


@pytest.mark.parametrize(("architecture", "accuracy", "seconds"), [("resnet18", 0.94, 60), ("resnet20", 0.91, 20)])
def test_training_here_is_fast(home: Path, architecture: str, accuracy: float, seconds: float) -> None:
    """The targets on one H100 or H200 with the whole of CIFAR-10; a first, short training warms the device up."""
    if not os.environ.get("UNLEARN_DATA_ROOT"):
        pytest.skip("UNLEARN_DATA_ROOT names no folder with the whole of CIFAR-10")
    user_catalog.use(home)
    import_dataset.add(ImportSpec(dataset="cifar10-whole", title="CIFAR-10", source="cifar10", size=32), home, Nobody())
    recipe = FAST[architecture]
    for epochs in (1, recipe.epochs):
        spec = TrainSpec(
            architecture=architecture, dataset="cifar10-whole", recipe=recipe.model_copy(update={"epochs": epochs})
        )
        _, headline = train_here(spec, device="cuda", home=home, listener=Nobody())
    print(architecture, headline)
    assert headline["accuracies"]["test"] >= accuracy
    assert headline["seconds"]["total"] <= seconds
