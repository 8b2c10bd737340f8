"""Training a classifier: saved, interrupted, resumed bit by bit, and added to the catalog completely or not at all."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.data.pixel_statistics import channel_statistics
from unlearn_core.domain.errors import (
    CancelledError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
    PreemptedError,
    StoreError,
)
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import FeaturesSpec, TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.results.course import TrainingResult
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.build_spec import run_spec as spec_of
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.jobs.train_classifier import _monitored, train_locally
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store import deletion
from unlearn_core.store.files import artifacts, ensemble_files
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import cpu_threads

RECIPE = Recipe(epochs=3, batch=64, peak=0.1, augment="none")
SPEC = TrainSpec(architecture="tiny", dataset="shapes", recipe=RECIPE, seed=5)


class Impatient(NullListener):
    """Preempts a training after a number of epochs, or cancels it before a number of steps."""

    def __init__(self, epochs: int = 10_000, steps: int = 10_000) -> None:
        self.epochs, self.steps = epochs, steps

    def should_yield(self) -> bool:
        self.epochs -= 1
        return self.epochs <= 0

    def check(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise CancelledError("Stopped.")


def train(home: Path, listener: Any = None, spec: TrainSpec = SPEC) -> RunMetrics:
    store = RunStore(home)
    run = store.get(store.submit(spec, title="Train"))
    return execute_job(run, ModelCache("cpu", home), listener or NullListener())


def _name(metrics: RunMetrics) -> str:
    """The classifier that was trained."""
    assert metrics.classifier is not None
    return metrics.classifier


def test_it_ends_in_the_catalog_with_its_recipe_and_can_forget_at_once(home: Path) -> None:
    done = train(home)
    card = classifiers.card(_name(done))
    assert card.recipe == RECIPE and card.original_recipe and card.seed == 5 and card.dataset == "shapes"
    net = bundled_models.find_bundled(card.id, None, 5)
    assert net is not None and done.accuracies is not None and (done.accuracies.test or 0) > 0.5
    wish = spec_of(card.id, method="finetune", classes=["rows"])
    report = unlearn(wish, device="cpu", data_dir=home).report
    assert np.array_equal(report.evaluations["before"].logits, bundled_models.read_logits(net))
    assert report.classifier == card and "no retrained model for this request yet" in report.missing["gold"]


def test_an_interrupted_training_ends_with_the_same_bits(home: Path) -> None:
    with pytest.raises(PreemptedError):
        train(home, Impatient(epochs=1))
    assert not user_models.exists(classifiers_id()) and user_models.training_state_dir(SPEC.fingerprint()).exists()
    with pytest.raises(CancelledError):
        train(home, Impatient(steps=8))  # in the midst of the second epoch after it
    interrupted = train(home)
    assert not user_models.training_state_dir(SPEC.fingerprint()).exists()
    straight = train(home.parent / "other")
    one, other = (
        bundled_models.read_weights(
            bundled_models.BundledModel("original-5", None, 5, "", folder, _files(folder), 0.0, {})
        )
        for folder in (root / "trained" / _name(interrupted) for root in (home, home.parent / "other"))
    )
    assert one == other and straight.classifier == interrupted.classifier
    last = RunStore(home).list_runs()[0].id
    curves = [artifacts.read_result(artifacts.run_dir(home, run), TrainingResult) for run in (1, last)]
    assert curves[0] is not None and curves[1] is not None
    assert len(curves[0].loss) == 1 and len(curves[1].loss) == 3
    assert curves[1].loss[0] == curves[0].loss[0], "the curve goes on where it was"
    assert (curves[1].epochs, curves[1].classes) == (3, 4)


def test_a_training_keeps_its_number_of_threads(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    monkeypatch.setattr(cpu_threads, "use", used.append)
    with pytest.raises(PreemptedError):
        train(home, Impatient(epochs=1))
    assert used == [], "it begins with those of its process"
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    train(home)
    assert used == [threads]


def classifiers_id() -> str:
    return user_models.make_id("tiny", "shapes", SPEC.fingerprint())


def _files(folder: Path) -> dict[str, str]:
    return json.loads((folder / "original-5.json").read_text())["files"]


def test_the_curve_is_on_validation_images_only(home: Path) -> None:
    warm = ModelCache("cpu", home)
    data = warm.dataset("shapes")
    pictures, labels = _monitored(data, warm.device)
    span = slice(data.card.train, data.card.train + data.card.val)
    assert np.array_equal(labels.numpy(), data.image_dataset.labels[span])
    assert np.array_equal(pictures.numpy(), data.image_dataset.images[span])


def test_the_same_spec_is_not_trained_twice(home: Path) -> None:
    first, second = train(home), train(home)
    assert second.classifier == first.classifier and second.note == "This classifier was trained before."


def test_it_can_begin_with_another_classifier(home: Path) -> None:
    spec = SPEC.model_copy(update={"start": "tiny", "recipe": RECIPE.model_copy(update={"epochs": 1, "peak": 1e-4})})
    tuned = train(home, spec=spec)
    card = classifiers.card(_name(tuned))
    assert card.mean == classifiers.card("tiny").mean and "It started from Tiny" in card.summary
    warm = ModelCache("cpu", home)
    before, after = warm.original(classifiers.card("tiny")), warm.original(card)
    assert before is not None and after is not None
    gap = (before.module.get_parameter("stem.0.weight") - after.module.get_parameter("stem.0.weight")).abs().max()
    assert (
        gap
        < 0.01
        < (before.module.get_parameter("head.weight") - after.module.get_parameter("head.weight")).abs().max()
    )


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"architecture": "vgg"}, NotFoundError, "no architecture called 'vgg'"),
        ({"dataset": "mnist"}, NotFoundError, "no data set called 'mnist'"),
        ({"start": "resnet20"}, InvalidRequestError, "is no Tiny"),
    ],
)
def test_what_cannot_be_trained_leaves_no_row(home: Path, change: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        train_locally(SPEC.model_copy(update=change), device="cpu", data_dir=home, listener=NullListener())
    assert RunStore(home).list_runs() == []


def test_an_own_classifier_is_removed_when_no_run_needs_it(home: Path) -> None:
    name, store = _name(train(home)), RunStore(home)
    request = ForgetRequest(classifier=name, dataset="shapes", forget=ForgetClasses(classes=(0,)))
    gold = store.get(store.submit(TrainGoldSpec(request=request), title="Gold"))
    execute_job(gold, ModelCache("cpu", home), NullListener())
    store.submit(UnlearnSpec(request=request, method="finetune", params={}), title="Forget")
    store.submit(FeaturesSpec(classifier=name), title="Features")
    with pytest.raises(StoreError, match=r"need this classifier \(4, 3, 2\)"):
        deletion.delete_classifier(store, name)
    for run in store.list_runs():
        store.cancel(run.id)
    kept = {owner: ensemble_files.folder(home, owner, "originals", "x") / "000.safetensors" for owner in (name, "tiny")}
    for file in kept.values():
        atomic_write(file, b"")
    deletion.delete_classifier(store, name)
    assert name not in classifiers.cards() and not list((home / "trained" / "golds").glob("*"))
    assert not kept[name].exists() and kept["tiny"].exists()
    with pytest.raises(NotFoundError, match="no classifier of your own called 'resnet20'"):
        deletion.delete_classifier(store, "resnet20")


def test_half_a_classifier_is_never_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(user_models, "_move", full)
    with pytest.raises(OSError, match="No space"):
        train(home)
    assert user_catalog.classifier_cards() == {} and not list((home / "trained").glob(".new-*"))


def test_a_recipe_is_confirmed_once(home: Path) -> None:
    name = _name(train(home))
    with pytest.raises(NotSupportedError, match="already has a recipe"):
        user_models.set_recipe(name, RECIPE)


def test_colours_are_those_of_training_images() -> None:
    pictures = datasets.load("shapes")
    shares = pictures.images[: pictures.train] / 255
    mean, std = channel_statistics(pictures)
    assert np.allclose(mean, shares.mean((0, 1, 2)), atol=1e-4) and np.allclose(std, shares.std((0, 1, 2)), atol=1e-4)
