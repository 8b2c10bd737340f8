"""Trains a classifier, and adds it to the catalog with its recipe."""

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
from unlearn_core.domain.results.course import TrainingResult
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics, SplitAccuracies
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.initial_weights import initial_model, load_initial_weights, was_trained_on
from unlearn_core.engine.job import Job
from unlearn_core.engine.jobs.common.resumable_training import TrainingTime, train_resumable
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import DeviceDataset, ModelCache, freeze_result
from unlearn_core.engine.record_run import record_run
from unlearn_core.models import architectures, user_models
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, folding, weights
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode
from unlearn_core.training.loops import TrainingState
from unlearn_core.training.precision import autocast

MONITORED_IMAGES = 2_000
"""At most this many validation images are evaluated after each epoch."""


def train(spec: TrainSpec, model_cache: ModelCache, listener: RunListener, folder: Path) -> RunMetrics:
    """Train a classifier, or resume its training, and add it to the catalog; return the run's summary metrics.

    After every epoch the curve (mean training loss, accuracy on validation images) is written to `folder`. The same
    spec gives the same classifier, so an existing one is not trained again. Raises NotFoundError, NotSupportedError,
    InvalidRequestError, CancelledError, PreemptedError and DivergedError.
    """
    card = classifier_card(spec, model_cache)
    if user_models.exists(card.id):
        note = "This classifier was trained before."
        return RunMetrics(classifier=card.id, seconds=JobSeconds(total=0.0), note=note)
    data, device = model_cache.dataset(spec.dataset), model_cache.device
    model = initial_model(card, spec.seed, model_cache)
    images, labels = _monitored(data, device)

    def take_notes(state: TrainingState, notes: dict[str, Any]) -> dict[str, Any]:
        accuracy = _accuracy(model, images, labels) if len(labels) else float("nan")
        curve = {"loss": [*notes.get("loss", []), state["loss"]], "accuracy": [*notes.get("accuracy", []), accuracy]}
        training = TrainingResult(
            epochs=spec.recipe.epochs,
            images=len(labels),
            classes=len(data.card.classes),
            loss=np.array(curve["loss"]),
            accuracy=np.array(curve["accuracy"]),
        )
        artifacts.write_result(folder, training)
        return curve

    rows, file = np.arange(data.card.train), user_models.training_state_dir(spec.fingerprint()) / "state.pt"
    spent = train_resumable(
        model, spec.recipe, data, rows, seed=spec.seed, file=file, listener=listener, take_notes=take_notes
    )
    after = freeze_result(model)
    logits = folding.logits(model, data.images)
    if not np.isfinite(logits).all():
        raise DivergedError("The model's outputs are not finite: train it again with a lower peak learning rate.")
    files = {".safetensors": weights.to_bytes(model), ".npy": to_npy_bytes(logits)}
    accuracy = accuracies(logits, data.image_dataset)
    listener.check()
    user_models.add(
        card, weights=after.weights, files=files, facts=_facts(spec, spent, accuracy, device), pending=False
    )
    shutil.rmtree(file.parent, ignore_errors=True)
    return RunMetrics(
        classifier=card.id,
        accuracies=accuracy,
        seconds=JobSeconds(total=spent.seconds),
        seconds_per_image=spent.seconds_per_image,
    )


def train_locally(spec: TrainSpec, *, device: str, data_dir: Path, listener: RunListener) -> tuple[int, RunMetrics]:
    """Train in this process as a run of the history; return its number and metrics. Ctrl-C keeps the last epoch."""
    resolved = resolve_device(device)
    model_cache = ModelCache(resolved, data_dir)
    card = classifier_card(spec, model_cache)  # An invalid spec leaves no row in the history.
    return record_run(
        RunStore(data_dir),
        spec,
        title=job_title(card),
        device=resolved,
        work=lambda run: train(spec, model_cache, listener, artifacts.run_dir(data_dir, run)),
    )


def classifier_card(spec: TrainSpec, model_cache: ModelCache) -> ClassifierCard:
    """Return the card of the result. Raises NotFoundError, NotSupportedError and InvalidRequestError."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    start = load_initial_weights(spec.start, spec.architecture, size=dataset.size, model_cache=model_cache)
    same_data = was_trained_on(spec.start, spec.dataset)
    mean, std = (
        channel_statistics(model_cache.dataset(spec.dataset).image_dataset)
        if start is None
        else (start.mean, start.std)
    )
    origin = "" if start is None else f" It started from {start.title} with a new head."
    origin += " That was trained on these images, so no model can be retrained for it." if same_data else ""
    card = ClassifierCard(
        id=user_models.make_id(spec.architecture, spec.dataset, spec.fingerprint()),
        title=spec.name.strip() or f"{architecture.title} · {dataset.title}",
        summary=f"{architecture.summary} Trained here, seed {spec.seed}.{origin}",
        architecture=spec.architecture,
        dataset=spec.dataset,
        mean=mean,
        std=std,
        roles=architecture.roles,
        recipe=None if same_data else spec.recipe,
        start=spec.start,
        seed=spec.seed,
        licence="Yours; the training images have their own licence (see the data set).",
        source=f"Trained in this lab on {date.today():%-d %B %Y}.",
    )
    if len(dataset.classes) < 2 or not dataset.train:
        raise InvalidRequestError(
            f"{dataset.title} has fewer than two classes, or no training images. Choose another data set."
        )
    return card


def job_title(card: ClassifierCard) -> str:
    """Return the title of such a run."""
    return f"Train {card.title}"


def accuracies(logits: np.ndarray, image_dataset: ImageDataset) -> SplitAccuracies:
    """Return the accuracies of a classifier from its logits (N, C) of a data set."""
    correct = logits.argmax(1) == image_dataset.labels
    train, val, test = np.split(correct, np.cumsum([image_dataset.train, image_dataset.val]))
    labels = image_dataset.labels[-len(test) :] if len(test) else image_dataset.labels[:0]
    return SplitAccuracies(
        train=_share(train),
        val=_share(val),
        test=_share(test),
        by_class=[_share(test[labels == number]) for number in range(logits.shape[1])],
    )


def _share(correct: np.ndarray) -> float | None:
    return float(correct.mean()) if len(correct) else None


def to_npy_bytes(values: np.ndarray) -> bytes:
    """Return an array as the bytes of an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _monitored(data: DeviceDataset, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return some validation images (N, H, W, 3) uint8 on the device, and their labels; the same ones every time."""
    card: DatasetCard = data.card
    ids = np.linspace(card.train, card.train + card.val - 1, min(card.val, MONITORED_IMAGES)).round().astype(int)
    rows = torch.from_numpy(ids).to(data.images.device)
    return data.images[rows].to(device), data.labels[rows].to(device)


@torch.inference_mode()
def _accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the accuracy in training precision: for the live curve, not a measurement."""
    batches = images.split(evaluate.images_per_batch(images.shape[1]))
    with eval_mode(model), autocast(images.device):
        predictions = torch.cat([model(to_floats(part)).argmax(1) for part in batches])
    return float((predictions == labels).float().mean())


def _facts(spec: TrainSpec, spent: TrainingTime, accuracy: SplitAccuracies, device: torch.device) -> dict[str, Any]:
    return {
        "recipe": spec.recipe.model_dump(),
        "accuracies": accuracy.model_dump(by_alias=True),
        "seconds": round(spent.seconds, 1),
        "made with": {
            "torch": torch.__version__,
            "device": describe_device(str(device)),
            "threads": torch.get_num_threads(),
        },
    }


JOB = Job(spec=TrainSpec, execute=lambda spec, context: train(spec, *context))
