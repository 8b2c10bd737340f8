"""A tiny finished run, made once per module, for the measurements that start from one."""

import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.model_cache import ModelCache


@pytest.fixture(scope="module")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> ModelCache:
    """The models of a data folder of its own."""
    return ModelCache("cpu", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def run(model_cache: ModelCache) -> int:
    """The number of a finished run in that data folder."""
    finished = unlearn(tiny_spec("finetune", epochs=1, lr=0.01), device="cpu", data_dir=model_cache.data_dir)
    assert finished.run is not None
    return finished.run
