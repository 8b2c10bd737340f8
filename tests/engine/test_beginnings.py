"""A training that begins with published weights: found by name, put under a fresh head, kept in mind by the card."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.engine.brought import DATASET, bring
from unlearn_core.catalog import classifiers, library, own, weight_files
from unlearn_core.domain.errors import BadRequest, NotAtHand
from unlearn_core.domain.recipes import Recipe
from unlearn_core.domain.run import TrainSpec
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.train import train_here
from unlearn_core.engine.warm import Warm
from unlearn_core.store.runs import RunStore

SPEC = TrainSpec(
    architecture="timm:test_resnet",
    dataset=DATASET.id,
    recipe=Recipe(epochs=1, batch=8, peak=1e-4, augment="none"),
    start="timm:test_resnet.r160_in1k",
)


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def pictures(home: Path) -> Iterator[Path]:
    """A data folder with 32-pixel pictures to train on."""
    bring("resnet8", home)
    yield home
    own.use(None)


def test_published_weights_lie_under_a_fresh_head(pictures: Path) -> None:
    torch.manual_seed(3)
    net = library.bare(library.parse("timm:test_resnet"), 1000, 160)
    path = weight_files.folder() / "test_resnet.r160_in1k.safetensors"
    path.parent.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)
    _, headline = train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    card = classifiers.card(headline["classifier"])
    assert card.architecture == "timm:test_resnet" and card.mean == (0.5, 0.5, 0.5)
    assert "It began as timm:test_resnet.r160_in1k, its head replaced." in card.summary
    assert card.roles.cam is not None and card.roles.head == ("net.fc",)
    trained = Warm("cpu", pictures).original(card)
    assert trained is not None and trained.net.get_parameter("net.fc.weight").shape[0] == 4
    gap = trained.net.get_parameter("net.conv1.0.weight") - net.get_parameter("conv1.0.weight")
    assert 0 < gap.abs().max() < 0.01


def test_weights_that_are_not_there_or_of_another_net_leave_no_row(pictures: Path) -> None:
    with pytest.raises(NotAtHand, match=r"test_resnet.r160_in1k.safetensors"):
        train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    torch.manual_seed(3)
    net = library.bare(library.parse("timm:test_convnext"), 1000, 160)
    path = weight_files.folder() / "test_convnext.r160_in1k.safetensors"
    path.parent.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)
    other = SPEC.model_copy(update={"start": "timm:test_convnext"})
    with pytest.raises(BadRequest, match=r"is no test_resnet \(timm\)"):
        train_here(other, device="cpu", home=pictures, listener=Nobody())
    assert RunStore(pictures).list() == []
