"""A training that begins with published weights: found by name, put under a fresh head, kept in mind by the card."""

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
from unlearn_core.domain.errors import BadRequest, NotAtHand
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import GoldSpec, RunSpec, TrainSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.engine.initial_weights import untrained
from unlearn_core.engine.jobs.train_classifier import train_here
from unlearn_core.engine.jobs.train_gold import train_gold
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.setup import lay_out, problem_of
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.methods.retrain import Knobs as Retrain
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
    """A data folder with 32-pixel pictures to train on."""
    bring("resnet8", home)
    yield home
    user_catalog.use(None)


def put_there(architecture: str) -> nn.Module:
    """One of timm's nets with fresh weights, and these where published ones would be looked for."""
    torch.manual_seed(3)
    net = external.bare(external.parse(f"timm:{architecture}"), 1000, 160)
    path = weight_cache.folder() / f"{architecture}.r160_in1k.safetensors"
    path.parent.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)
    return net


def test_published_weights_lie_under_a_fresh_head(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, headline = train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    card = classifiers.card(headline["classifier"])
    assert card.architecture == "timm:test_resnet" and card.mean == (0.5, 0.5, 0.5)
    assert "It began as timm:test_resnet.r160_in1k, its head replaced." in card.summary
    assert card.roles.cam is not None and card.roles.head == ("net.fc",)
    tuned = Warm("cpu", pictures).original(card)
    assert tuned is not None and tuned.net.get_parameter("net.fc.weight").shape[0] == 4
    gap = tuned.net.get_parameter("net.conv1.0.weight") - net.get_parameter("conv1.0.weight")
    assert 0 < gap.abs().max() < 0.01


def test_weights_that_are_not_there_or_of_another_net_leave_no_row(pictures: Path) -> None:
    with pytest.raises(NotAtHand, match=r"test_resnet.r160_in1k.safetensors"):
        train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    put_there("test_convnext")
    other = SPEC.model_copy(update={"start": "timm:test_convnext"})
    with pytest.raises(BadRequest, match=r"is no test_resnet \(timm\)"):
        train_here(other, device="cpu", home=pictures, listener=Nobody())
    assert RunStore(pictures).list() == []


def test_gold_begins_where_its_classifier_began(pictures: Path) -> None:
    put_there("test_resnet")
    _, headline = train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    card, warm = classifiers.card(headline["classifier"]), Warm("cpu", pictures)
    assert card.start == SPEC.start and card.recipe == SPEC.recipe
    request = ForgetRequest(classifier=card.id, dataset=DATASET.id, forget=ForgetClasses(classes=(1,)))
    train_gold(GoldSpec(request=request), warm, Nobody())
    gold, original = warm.gold(card, request, 0), warm.original(card)
    assert gold is not None and original is not None and gold.weights != original.weights
    gap = gold.net.get_parameter("net.conv1.0.weight") - original.net.get_parameter("net.conv1.0.weight")
    assert gap.abs().max() < 0.01, "both are a step from the published weights"


def test_what_began_with_a_net_that_had_seen_the_pictures_has_no_gold_by_its_recipe(pictures: Path) -> None:
    base = bring("resnet8", pictures)
    spec = SPEC.model_copy(update={"architecture": "resnet8", "start": base.id})
    _, headline = train_here(spec, device="cpu", home=pictures, listener=Nobody())
    card = classifiers.card(headline["classifier"])
    assert card.recipe is None and "had seen these pictures" in card.summary
    user_models.confirm(card.id, spec.recipe)
    card, warm = classifiers.card(card.id), Warm("cpu", pictures)
    began, fresh = untrained(card, 1, warm), warm.fresh(card, 1)
    assert weights.checksum(began) == weights.checksum(fresh), "what was confirmed is for fresh weights"


def given_for(card: ClassifierCard, warm: Warm, method: str) -> Problem:
    request = ForgetRequest(classifier=card.id, dataset=DATASET.id, forget=ForgetClasses(classes=(1,)))
    knobs = methods.method(method).presets["bundled"].params_for(request.forget)
    return problem_of(lay_out(RunSpec(request=request, method=method, params=knobs.model_dump(), seed=5), warm), warm)


def test_what_a_method_draws_afresh_begins_where_gold_begins(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, headline = train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    card, warm = classifiers.card(headline["classifier"]), Warm("cpu", pictures)
    given = given_for(card, warm, "finetune")
    one, other = given.fresh(), given.fresh(1)
    for fresh in (one, other):
        assert torch.equal(fresh.get_parameter("net.conv1.0.weight"), net.get_parameter("conv1.0.weight"))
        assert fresh.get_parameter("net.fc.weight").shape[0] == 4
    assert not torch.equal(one.get_parameter("net.fc.weight"), other.get_parameter("net.fc.weight"))
    (weight_cache.folder() / "test_resnet.r160_in1k.safetensors").unlink()
    assert given.fresh() is not one, "the weights are looked up once"


def test_retrain_ends_near_published_weights_as_gold_does(pictures: Path) -> None:
    net = put_there("test_resnet")
    _, headline = train_here(SPEC, device="cpu", home=pictures, listener=Nobody())
    card, warm = classifiers.card(headline["classifier"]), Warm("cpu", pictures)
    given = given_for(card, warm, "retrain")
    methods.method("retrain").forget(given, Retrain(), RunTracker(Nobody()))
    gap = given.net.get_parameter("net.conv1.0.weight") - net.get_parameter("conv1.0.weight")
    assert 0 < gap.abs().max() < 0.01, "a few small steps from them"


def test_a_net_that_had_seen_the_pictures_is_no_fresh_one(pictures: Path) -> None:
    base = bring("resnet8", pictures)
    spec = SPEC.model_copy(update={"architecture": "resnet8", "start": base.id})
    _, headline = train_here(spec, device="cpu", home=pictures, listener=Nobody())
    card, warm = classifiers.card(headline["classifier"]), Warm("cpu", pictures)
    assert card.start == base.id and card.recipe is None
    given = given_for(card, warm, "finetune").fresh()
    assert weights.checksum(given) == weights.checksum(warm.fresh(card, 5, "fresh", 0))
