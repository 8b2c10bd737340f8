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
from unlearn_core.data.image_dataset import Pictures
from unlearn_core.data.pixel_statistics import colours
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import BadRequest, Diverged
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.engine.devices import describe, resolve
from unlearn_core.engine.initial_weights import beginning, has_seen, untrained
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.model_cache import Data, Warm, after_of
from unlearn_core.engine.record_run import in_history
from unlearn_core.engine.resumable_training import Spent, train_on
from unlearn_core.models import architectures, user_models
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import in_eval
from unlearn_core.training.loops import State
from unlearn_core.training.precision import fast

PART = "training"
"""The part of the run's folder that holds the curve."""

WATCHED = 2_000
"""At most so many validation pictures are asked after each epoch."""


def train(spec: TrainSpec, warm: Warm, listener: Listener, folder: Path) -> dict[str, Any]:
    """Trains, or goes on where it was stopped, and adds the classifier to the catalog; gives the headline.

    After every epoch the curve (mean training loss, accuracy on validation pictures) is written to `folder`. The same
    spec gives the same classifier: one that is there already is not trained again. Raises UnknownName, NotSupported,
    BadRequest, Cancelled, GaveWay and Diverged.
    """
    card = card_of(spec, warm)
    if user_models.is_there(card.id):
        return {"classifier": card.id, "seconds": {"total": 0.0}, "note": "It was trained already."}
    data, device = warm.data(spec.dataset), warm.device
    net = untrained(card, spec.seed, warm)
    pictures, labels = _watched(data, device)

    def note(state: State, notes: dict[str, Any]) -> dict[str, Any]:
        right = _right(net, pictures, labels) if len(labels) else float("nan")
        curve = {"loss": [*notes.get("loss", []), state["loss"]], "accuracy": [*notes.get("accuracy", []), right]}
        facts = {"epochs": spec.recipe.epochs, "pictures": len(labels), "classes": len(data.card.classes)}
        artifacts.write_part(folder, PART, Part(facts, {name: np.array(values) for name, values in curve.items()}))
        return curve

    rows, file = np.arange(data.card.train), user_models.making(spec.fingerprint()) / "state.pt"
    spent = train_on(net, spec.recipe, data, rows, seed=spec.seed, file=file, listener=listener, note=note)
    after = after_of(net)
    logits = evaluate.logits(net, data.images)
    if not np.isfinite(logits).all():
        raise Diverged("The net's answers are no longer numbers: train it again with a lower peak learning rate.")
    files = {".safetensors": weights.to_bytes(net), ".npy": as_array(logits)}
    accuracy = accuracies(logits, data.pictures)
    listener.check()
    user_models.put(card, weights=after.weights, files=files, facts=_facts(spec, spent, accuracy, device), wait=False)
    shutil.rmtree(file.parent, ignore_errors=True)
    return {
        "classifier": card.id,
        "accuracies": accuracy,
        "seconds": {"total": spent.seconds},
        "seconds_per_picture": spent.pace,
    }


def train_here(spec: TrainSpec, *, device: str, home: Path, listener: Listener) -> tuple[int, dict[str, Any]]:
    """Trains in this process, as a run of the history: its number and headline. Ctrl-C keeps the last whole epoch."""
    where = resolve(device)
    warm = Warm(where, home)
    card = card_of(spec, warm)  # A spec that cannot be done leaves no row in the history.
    return in_history(
        RunStore(home),
        spec,
        title=title_of(card),
        device=where,
        work=lambda run: train(spec, warm, listener, artifacts.folder_of(home, run)),
    )


def card_of(spec: TrainSpec, warm: Warm) -> ClassifierCard:
    """The card that the result will have. Raises UnknownName, NotSupported and BadRequest before any work."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    start = beginning(spec.start, spec.architecture, size=dataset.size, warm=warm)
    seen = has_seen(spec.start, spec.dataset)
    mean, std = colours(warm.data(spec.dataset).pictures) if start is None else (start.mean, start.std)
    how = "" if start is None else f" It began as {start.title}, its head replaced."
    how += " That had seen these pictures, so its recipe gives no gold." if seen else ""
    card = ClassifierCard(
        id=user_models.named(spec.architecture, spec.dataset, spec.fingerprint()),
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
        raise BadRequest(f"{dataset.title} has not two classes to tell apart. Choose another data set.")
    return card


def title_of(card: ClassifierCard) -> str:
    """What such a run is called."""
    return f"Train {card.title}"


def accuracies(logits: np.ndarray, pictures: Pictures) -> dict[str, Any]:
    """How often it is right (0 to 1) in each split, and class by class on test pictures; None where there are none."""
    right = logits.argmax(1) == pictures.labels
    ends = np.cumsum([0, pictures.train, pictures.val, pictures.test])
    found: dict[str, Any] = {
        name: float(right[start:stop].mean()) if stop > start else None
        for name, start, stop in zip(("train", "val", "test"), ends, ends[1:], strict=False)
    }
    unseen, labels = right[ends[2] :], pictures.labels[ends[2] :]
    own = [unseen[labels == number] for number in range(logits.shape[1])]
    return found | {"classes": [float(one.mean()) if len(one) else None for one in own]}


def as_array(values: np.ndarray) -> bytes:
    """An array as numpy's own file."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _watched(data: Data, device: torch.device) -> tuple[Tensor, Tensor]:
    """Some validation pictures, floats on the device, and their labels; the same ones every time."""
    count: DatasetCard = data.card
    ids = np.linspace(count.train, count.train + count.val - 1, min(count.val, WATCHED)).round().astype(int)
    rows = torch.from_numpy(ids).to(data.images.device)
    return to_floats(data.images[rows]).to(device), data.labels[rows].to(device)


@torch.inference_mode()
def _right(net: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """The share of right answers in the precision of training: a look in passing, no measurement."""
    with in_eval(net), fast(pictures.device):
        answers = torch.cat([net(part).argmax(1) for part in pictures.split(evaluate.BATCH)])
    return float((answers == labels).float().mean())


def _facts(spec: TrainSpec, spent: Spent, accuracy: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        "recipe": spec.recipe.model_dump(),
        "accuracies": accuracy,
        "seconds": round(spent.seconds, 1),
        "made with": {
            "torch": torch.__version__,
            "device": describe(str(device)),
            "threads": torch.get_num_threads(),
        },
    }
