"""Trains a classifier here; what comes of it stands in the catalog beside those that ship, with its recipe."""

import io
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.data import datasets
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.pixel_statistics import channel_statistics
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import DivergedError, InvalidRequestError
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.initial_weights import initial_model, load_initial_weights, was_trained_on
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import DeviceDataset, ModelCache, freeze_result
from unlearn_core.engine.record_run import record_run
from unlearn_core.engine.resumable_training import TrainingTime, train_resumable
from unlearn_core.models import architectures, user_models
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.loops import TrainingState
from unlearn_core.training.precision import autocast

PART = "training"
"""The part of the run's folder that holds the curve."""

MONITORED_IMAGES = 2_000
"""At most so many validation pictures are asked after each epoch."""


def train(spec: TrainSpec, model_cache: ModelCache, listener: RunListener, folder: Path) -> dict[str, Any]:
    """Trains, or goes on where it was stopped, and adds the classifier to the catalog; gives the headline.

    After every epoch the curve (mean training loss, accuracy on validation pictures) is written to `folder`. The same
    spec gives the same classifier: one that is there already is not trained again. Raises UnknownName, NotSupported,
    BadRequest, Cancelled, GaveWay and Diverged.
    """
    card = classifier_card(spec, model_cache)
    if user_models.exists(card.id):
        return {"classifier": card.id, "seconds": {"total": 0.0}, "note": "It was trained already."}
    data, device = model_cache.dataset(spec.dataset), model_cache.device
    net = initial_model(card, spec.seed, model_cache)
    pictures, labels = _monitored(data, device)

    def note(state: TrainingState, notes: dict[str, Any]) -> dict[str, Any]:
        right = _accuracy(net, pictures, labels) if len(labels) else float("nan")
        curve = {"loss": [*notes.get("loss", []), state["loss"]], "accuracy": [*notes.get("accuracy", []), right]}
        facts = {"epochs": spec.recipe.epochs, "pictures": len(labels), "classes": len(data.card.classes)}
        artifacts.write_part(
            folder, PART, ReportPart(facts, {name: np.array(values) for name, values in curve.items()})
        )
        return curve

    rows, file = np.arange(data.card.train), user_models.training_state_dir(spec.fingerprint()) / "state.pt"
    spent = train_resumable(net, spec.recipe, data, rows, seed=spec.seed, file=file, listener=listener, take_notes=note)
    after = freeze_result(net)
    logits = evaluate.logits(net, data.images)
    if not np.isfinite(logits).all():
        raise DivergedError("The net's answers are no longer numbers: train it again with a lower peak learning rate.")
    files = {".safetensors": weights.to_bytes(net), ".npy": to_npy_bytes(logits)}
    accuracy = accuracies(logits, data.image_dataset)
    listener.check()
    user_models.add(
        card, weights=after.weights, files=files, facts=_facts(spec, spent, accuracy, device), pending=False
    )
    shutil.rmtree(file.parent, ignore_errors=True)
    return {
        "classifier": card.id,
        "accuracies": accuracy,
        "seconds": {"total": spent.seconds},
        "seconds_per_picture": spent.seconds_per_image,
    }


def train_locally(spec: TrainSpec, *, device: str, data_dir: Path, listener: RunListener) -> tuple[int, dict[str, Any]]:
    """Trains in this process, as a run of the history: its number and headline. Ctrl-C keeps the last whole epoch."""
    where = resolve_device(device)
    warm = ModelCache(where, data_dir)
    card = classifier_card(spec, warm)  # A spec that cannot be done leaves no row in the history.
    return record_run(
        RunStore(data_dir),
        spec,
        title=job_title(card),
        device=where,
        work=lambda run: train(spec, warm, listener, artifacts.run_dir(data_dir, run)),
    )


def classifier_card(spec: TrainSpec, model_cache: ModelCache) -> ClassifierCard:
    """The card that the result will have. Raises UnknownName, NotSupported and BadRequest before any work."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    start = load_initial_weights(spec.start, spec.architecture, size=dataset.size, model_cache=model_cache)
    seen = was_trained_on(spec.start, spec.dataset)
    mean, std = (
        channel_statistics(model_cache.dataset(spec.dataset).image_dataset)
        if start is None
        else (start.mean, start.std)
    )
    how = "" if start is None else f" It began as {start.title}, its head replaced."
    how += " That had seen these pictures, so its recipe gives no gold." if seen else ""
    card = ClassifierCard(
        id=user_models.make_id(spec.architecture, spec.dataset, spec.fingerprint()),
        title=spec.name.strip() or f"{architecture.title} · {dataset.title}",
        summary=f"{architecture.summary} Trained here, seed {spec.seed}.{how}",
        architecture=spec.architecture,
        dataset=spec.dataset,
        mean=mean,
        std=std,
        roles=architecture.roles,
        recipe=None if seen else spec.recipe,
        start=spec.start,
        seed=spec.seed,
        licence="Yours; trained on pictures with terms of their own (see the data set's).",
        source=f"Trained in this lab on {date.today():%-d %B %Y}.",
    )
    if len(dataset.classes) < 2 or not dataset.train:
        raise InvalidRequestError(f"{dataset.title} has not two classes to tell apart. Choose another data set.")
    return card


def job_title(card: ClassifierCard) -> str:
    """What such a run is called."""
    return f"Train {card.title}"


def accuracies(logits: np.ndarray, image_dataset: ImageDataset) -> dict[str, Any]:
    """How often it is right (0 to 1) in each split, and class by class on test pictures; None where there are none."""
    right = logits.argmax(1) == image_dataset.labels
    ends = np.cumsum([0, image_dataset.train, image_dataset.val, image_dataset.test])
    found: dict[str, Any] = {
        name: float(right[start:stop].mean()) if stop > start else None
        for name, start, stop in zip(("train", "val", "test"), ends, ends[1:], strict=False)
    }
    unseen, labels = right[ends[2] :], image_dataset.labels[ends[2] :]
    own = [unseen[labels == number] for number in range(logits.shape[1])]
    return found | {"classes": [float(one.mean()) if len(one) else None for one in own]}


def to_npy_bytes(values: np.ndarray) -> bytes:
    """An array as numpy's own file."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _monitored(data: DeviceDataset, device: torch.device) -> tuple[Tensor, Tensor]:
    """Some validation pictures, floats on the device, and their labels; the same ones every time."""
    count: DatasetCard = data.card
    ids = np.linspace(count.train, count.train + count.val - 1, min(count.val, MONITORED_IMAGES)).round().astype(int)
    rows = torch.from_numpy(ids).to(data.images.device)
    return to_floats(data.images[rows]).to(device), data.labels[rows].to(device)


@torch.inference_mode()
def _accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of right answers in the precision of training: a look in passing, no measurement."""
    with eval_mode(model), autocast(images.device):
        answers = torch.cat([model(part).argmax(1) for part in images.split(evaluate.BATCH_SIZE)])
    return float((answers == labels).float().mean())


def _facts(spec: TrainSpec, spent: TrainingTime, accuracy: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        "recipe": spec.recipe.model_dump(),
        "accuracies": accuracy,
        "seconds": round(spent.seconds, 1),
        "made with": {
            "torch": torch.__version__,
            "device": describe_device(str(device)),
            "threads": torch.get_num_threads(),
        },
    }
