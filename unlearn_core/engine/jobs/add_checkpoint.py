"""Validates an uploaded checkpoint before it is added: whether it fits the architecture, and how accurate it is."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import CheckpointResult, MismatchCounts, ShapeMismatch
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.job import Job
from unlearn_core.engine.jobs.train_classifier import accuracies, to_npy_bytes
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.record_run import record_run
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.models import architectures, user_models
from unlearn_core.models.upload import receive
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights

MAX_TENSORS = 200
"""At most this many names of each kind are stored."""

PREFIXES = ("", "net.", "model.", "backbone.", "encoder.")
"""Prefixes that all names may have, in the file or in our model."""


class StateDictMatch(NamedTuple):
    """How a checkpoint's tensors match a model's: the tensors that fit, and the names of those that do not.

    Batch norm's counters, which old checkpoints lack, are ignored.
    """

    state: dict[str, Tensor]
    missing: list[str]
    unexpected: list[str]
    shape_mismatches: list[ShapeMismatch]

    @property
    def complete(self) -> bool:
        """Whether the file has every weight of the model; other tensors of the file are ignored."""
        return not self.missing and not self.shape_mismatches


def validate_checkpoint(
    spec: AddCheckpointSpec, model_cache: ModelCache, listener: RunListener, folder: Path
) -> RunMetrics:
    """Convert the file, match it with the architecture, and evaluate it; return the run's summary metrics.

    The result is written to `folder`. If the file fits, the classifier is pending until it is added
    (`user_models`). Raises InvalidCheckpointError, NotFoundError, NotSupportedError and CancelledError.
    """
    listener.check()
    card, data = classifier_card(spec), model_cache.dataset(spec.dataset)
    tracker = RunTracker(listener)
    tracker.set_stage("opening")
    converted = receive.convert(spec.upload)
    model = model_cache.new_model(card, 0)
    found = match_state_dict(load(receive.safetensors_path(spec.upload).read_bytes()), model.state_dict())
    result = CheckpointResult(
        fits=found.complete,
        tensors=len(converted["tensors"]),
        ignored=converted["ignored"][:MAX_TENSORS],
        missing=found.missing[:MAX_TENSORS],
        unexpected=found.unexpected[:MAX_TENSORS],
        shape_mismatches=found.shape_mismatches[:MAX_TENSORS],
        counts=MismatchCounts(len(found.missing), len(found.unexpected), len(found.shape_mismatches)),
        reason=mismatch_reason(found, card, data.card),
    )
    if not result.fits:
        artifacts.write_result(folder, result)
        return RunMetrics(fits=False, why=result.reason)
    model.load_state_dict(model.state_dict() | found.state)
    tracker.set_stage("evaluating")
    logits = evaluate.logits(model, data.images)
    if not np.isfinite(logits).all():
        raise InvalidCheckpointError(
            "The model's outputs are not finite for some images. Check the checkpoint and the normalisation."
        )
    accuracy = accuracies(logits, data.image_dataset)
    files = {".safetensors": weights.to_bytes(model), ".npy": to_npy_bytes(logits)}
    made = {
        "seconds": 0.0,
        "made with": {"torch": torch.__version__, "device": describe_device(str(model_cache.device))},
    }
    user_models.add(
        card,
        weights=weights.checksum(model),
        files=files,
        facts=made | {"accuracies": accuracy.model_dump(by_alias=True)},
        pending=True,
    )
    artifacts.write_result(folder, result.model_copy(update={"accuracies": accuracy, "classifier": card.id}))
    return RunMetrics(fits=True, classifier=card.id, accuracies=accuracy, chance=1 / len(data.card.classes))


def add_locally(
    spec: AddCheckpointSpec, *, device: str, data_dir: Path, listener: RunListener
) -> tuple[int, RunMetrics, CheckpointResult]:
    """Validate a checkpoint in this process as a run of the history; return its number, metrics and result."""
    resolved = resolve_device(device)
    run, metrics = record_run(
        RunStore(data_dir),
        spec,
        title=job_title(classifier_card(spec)),
        device=resolved,
        work=lambda run: validate_checkpoint(
            spec, ModelCache(resolved, data_dir), listener, artifacts.run_dir(data_dir, run)
        ),
    )
    found = artifacts.read_result(artifacts.run_dir(data_dir, run), CheckpointResult)
    assert found is not None
    return run, metrics, found


def classifier_card(spec: AddCheckpointSpec) -> ClassifierCard:
    """Return the card that the classifier would have. Raises NotFoundError."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    return ClassifierCard(
        id=user_models.make_id(spec.architecture, spec.dataset, spec.fingerprint()),
        title=spec.name or f"{architecture.title} · {dataset.title}, uploaded",
        summary=f"{architecture.summary} Its weights were uploaded as a file.",
        architecture=spec.architecture,
        dataset=spec.dataset,
        mean=spec.mean,
        std=spec.std,
        roles=architecture.roles,
        recipe=None,
        seed=0,
        licence="Unknown: the weights were uploaded.",
        source=f"A file uploaded on {date.today():%-d %B %Y}, sha256 {spec.upload[:16]}…",
    )


def job_title(card: ClassifierCard) -> str:
    """Return the title of such a run."""
    return f"Validate {card.title}"


def match_state_dict(file_state: Mapping[str, Tensor], model_state: Mapping[str, Tensor]) -> StateDictMatch:
    """Match a file's tensors with a model's, with the prefix under which most names agree."""
    required = {name for name in model_state if not name.endswith("num_batches_tracked")}
    state = dict(
        max(
            (_renamed(file_state, take, put) for take in PREFIXES for put in PREFIXES),
            key=lambda state: len(required & state.keys()),
        )
    )
    shapes = [
        ShapeMismatch(n, list(model_state[n].shape), list(state[n].shape))
        for n in model_state
        if n in state and model_state[n].shape != state[n].shape
    ]
    unfit = {name for name, _, _ in shapes}
    return StateDictMatch(
        {name: value for name, value in state.items() if name in model_state and name not in unfit},
        sorted(required - state.keys()),
        sorted(state.keys() - model_state.keys()),
        shapes,
    )


def mismatch_reason(matched: StateDictMatch, card: ClassifierCard, dataset: DatasetCard) -> str:
    """Return in a sentence why a checkpoint does not fit; "" if it fits."""
    if matched.complete:
        return ""
    heads = tuple(f"{head}." for head in card.roles.head)
    counts = {theirs[0] for name, ours, theirs in matched.shape_mismatches if name.startswith(heads) and theirs}
    if counts and all(name.startswith(heads) for name, _, _ in matched.shape_mismatches) and not matched.missing:
        return (
            f"The checkpoint has {min(counts):,} classes, but {dataset.title} has {len(dataset.classes):,}. "
            "Choose the data set that it was trained on."
        )
    return (
        f"{len(matched.missing):,} tensors of this architecture are missing in the checkpoint, "
        f"{len(matched.shape_mismatches):,} have another shape, and {len(matched.unexpected):,} have names that the "
        "architecture does not have. "
        "Choose the architecture that it was saved from."
    )


def _renamed(given: Mapping[str, Tensor], strip_prefix: str, add_prefix: str) -> dict[str, Tensor]:
    return {add_prefix + name.removeprefix(strip_prefix): value for name, value in given.items()}


JOB = Job(spec=AddCheckpointSpec, execute=lambda spec, context: validate_checkpoint(spec, *context))
