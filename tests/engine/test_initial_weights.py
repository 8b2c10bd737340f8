"""Training from published weights: found by name, combined with a new head, recorded in the card."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.engine.uploaded_model import DATASET, bring
from unlearn_core import methods
from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import FileUnavailableError, InvalidRequestError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.engine.initial_weights import initial_model
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.jobs.train_gold import train_gold
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import build_problem, resolve_run
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.methods.retrain import Hyperparameters as Retrain
from unlearn_core.models import classifiers, external, user_models, weight_cache
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import weights
from unlearn_core.training.problem import Problem

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
    """A data folder with 32-pixel images to train on."""
    bring("resnet8", home)
    yield home
    user_catalog.set_data_dir(None)


def put_there(architecture: str) -> nn.Module:
    """One of timm's models with random weights, stored where published ones would be."""
    torch.manual_seed(3)
    net = external.build_backbone(external.parse(f"timm:{architecture}"), 1000, 160)
    path = weight_cache.cache_dir() / f"{architecture}.r160_in1k.safetensors"
    path.parent.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)
    return net


def test_published_weights_lie_under_a_fresh_head(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, metrics = train_locally(SPEC, device="cpu", data_dir=pictures, listener=NullListener())
    card = classifiers.card(metrics.classifier or "")
    assert card.architecture == "timm:test_resnet" and card.mean == (0.5, 0.5, 0.5)
    assert "It started from timm:test_resnet.r160_in1k with a new head." in card.summary
    assert card.roles.cam is not None and card.roles.head == ("net.fc",)
    tuned = ModelCache("cpu", pictures).original(card)
    assert tuned is not None and tuned.module.get_parameter("net.fc.weight").shape[0] == 4
    gap = tuned.module.get_parameter("net.conv1.0.weight") - net.get_parameter("conv1.0.weight")
    assert 0 < gap.abs().max() < 0.01


def test_weights_that_are_not_there_or_of_another_model_leave_no_row(pictures: Path) -> None:
    with pytest.raises(FileUnavailableError, match=r"test_resnet.r160_in1k.safetensors"):
        train_locally(SPEC, device="cpu", data_dir=pictures, listener=NullListener())
    put_there("test_convnext")
    other = SPEC.model_copy(update={"start": "timm:test_convnext"})
    with pytest.raises(InvalidRequestError, match=r"is no test_resnet \(timm\)"):
        train_locally(other, device="cpu", data_dir=pictures, listener=NullListener())
    assert RunStore(pictures).list_runs() == []


def test_gold_begins_where_its_classifier_began(pictures: Path) -> None:
    put_there("test_resnet")
    _, metrics = train_locally(SPEC, device="cpu", data_dir=pictures, listener=NullListener())
    card, warm = classifiers.card(metrics.classifier or ""), ModelCache("cpu", pictures)
    assert card.start == SPEC.start and card.recipe == SPEC.recipe
    request = ForgetRequest(classifier=card.id, dataset=DATASET.id, forget=ForgetClasses(classes=(1,)))
    train_gold(TrainGoldSpec(request=request), warm, NullListener())
    gold, original = warm.gold(card, request, 0), warm.original(card)
    assert gold is not None and original is not None and gold.weights != original.weights
    gap = gold.module.get_parameter("net.conv1.0.weight") - original.module.get_parameter("net.conv1.0.weight")
    assert gap.abs().max() < 0.01, "both are a step from the published weights"


def test_a_classifier_that_started_from_a_model_of_the_same_data_has_no_gold(pictures: Path) -> None:
    base = bring("resnet8", pictures)
    spec = SPEC.model_copy(update={"architecture": "resnet8", "start": base.id})
    _, metrics = train_locally(spec, device="cpu", data_dir=pictures, listener=NullListener())
    card = classifiers.card(metrics.classifier or "")
    assert card.recipe is None and "was trained on these images" in card.summary
    user_models.set_recipe(card.id, spec.recipe)
    card, warm = classifiers.card(card.id), ModelCache("cpu", pictures)
    began, fresh = initial_model(card, 1, warm), warm.new_model(card, 1)
    assert weights.checksum(began) == weights.checksum(fresh), "what was confirmed is for fresh weights"


def given_for(card: ClassifierCard, warm: ModelCache, method: str) -> Problem:
    request = ForgetRequest(classifier=card.id, dataset=DATASET.id, forget=ForgetClasses(classes=(1,)))
    knobs = methods.method(method).presets["bundled"].for_request(request.forget)
    return build_problem(
        resolve_run(UnlearnSpec(request=request, method=method, params=knobs.model_dump(), seed=5), warm), warm
    )


def test_what_a_method_draws_afresh_begins_where_gold_begins(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, metrics = train_locally(SPEC, device="cpu", data_dir=pictures, listener=NullListener())
    card, warm = classifiers.card(metrics.classifier or ""), ModelCache("cpu", pictures)
    given = given_for(card, warm, "finetune")
    one, other = given.fresh_model(), given.fresh_model(1)
    for fresh in (one, other):
        assert torch.equal(fresh.get_parameter("net.conv1.0.weight"), net.get_parameter("conv1.0.weight"))
        assert fresh.get_parameter("net.fc.weight").shape[0] == 4
    assert not torch.equal(one.get_parameter("net.fc.weight"), other.get_parameter("net.fc.weight"))
    (weight_cache.cache_dir() / "test_resnet.r160_in1k.safetensors").unlink()
    assert given.fresh_model() is not one, "the weights are looked up once"


def test_retrain_ends_near_published_weights_as_gold_does(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, metrics = train_locally(SPEC, device="cpu", data_dir=pictures, listener=NullListener())
    card, warm = classifiers.card(metrics.classifier or ""), ModelCache("cpu", pictures)
    given = given_for(card, warm, "retrain")
    methods.method("retrain").forget(given, Retrain(), RunTracker(NullListener()))
    gap = given.model.get_parameter("net.conv1.0.weight") - net.get_parameter("conv1.0.weight")
    assert 0 < gap.abs().max() < 0.01, "a few small steps from them"


def test_a_model_of_the_same_data_is_no_fresh_one(pictures: Path) -> None:
    base = bring("resnet8", pictures)
    spec = SPEC.model_copy(update={"architecture": "resnet8", "start": base.id})
    _, metrics = train_locally(spec, device="cpu", data_dir=pictures, listener=NullListener())
    card, warm = classifiers.card(metrics.classifier or ""), ModelCache("cpu", pictures)
    assert card.start == base.id and card.recipe is None
    given = given_for(card, warm, "finetune").fresh_model()
    assert weights.checksum(given) == weights.checksum(warm.new_model(card, 5, "fresh", 0))
