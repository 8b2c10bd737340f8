"""Validates an uploaded checkpoint before it is added: which architecture it fits, and how accurate it is."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor, nn

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import CheckpointResult, ClassOrder, Entry, MismatchCounts
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.engine.devices import describe_device, resolve_device
from unlearn_core.engine.job import Job
from unlearn_core.engine.jobs.common.checkpoint_accuracy import compare_with_most_frequent, find_class_order
from unlearn_core.engine.jobs.common.checkpoint_trials import choose, normalizations, trial_images
from unlearn_core.engine.jobs.train_classifier import accuracies, to_npy_bytes
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.record_run import record_run
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.models import architectures, user_models
from unlearn_core.models.matching.find import find_matches
from unlearn_core.models.matching.match import StateDictMatch
from unlearn_core.models.matching.misfit import misfit_reason
from unlearn_core.models.matching.normalizing_layer import find_normalizing_layer
from unlearn_core.models.upload import receive
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights

MAX_TENSORS = 200
"""At most this many names of each kind are stored."""


def validate_checkpoint(
    spec: AddCheckpointSpec, model_cache: ModelCache, listener: RunListener, folder: Path
) -> RunMetrics:
    """Convert the file, match it with an architecture, and evaluate it; return the run's summary metrics.

    The result is written to `folder`. If the file fits, the classifier is pending until it is added
    (`user_models`). Raises InvalidCheckpointError, NotFoundError, NotSupportedError and CancelledError.
    """
    listener.check()
    data, tracker = model_cache.dataset(spec.dataset), RunTracker(listener)
    tracker.set_stage("opening")
    converted = receive.convert(spec.upload, spec.entry)
    stored = load(receive.safetensors_path(spec.upload, spec.entry).read_bytes())
    tensors = {name: stored[name] for name in converted["tensors"]}  # In the order of the file.
    layer = find_normalizing_layer(tensors)
    file = {name: tuple(value.shape) for name, value in tensors.items() if layer is None or name not in layer.tensors}
    found = find_matches(file, data.card, architecture=spec.architecture)
    if not found.candidates:
        reason = misfit_reason(found, data.card, requested=bool(spec.architecture))
        artifacts.write_result(folder, _describe(found.nearest, converted, spec, reason))
        return RunMetrics(fits=False, why=reason)
    tracker.set_stage("evaluating")
    sample = trial_images(data)
    choice = choose(
        found.candidates,
        normalizations(spec, layer, data.image_dataset),
        build=lambda match: _build(classifier_card(spec, match.target.architecture), match, tensors, model_cache),
        sample=sample,
        check=listener.check,
    )
    match, way = choice.match, choice.normalization
    card = classifier_card(spec, match.target.architecture, way.mean, way.std)
    model = _build(card, match, tensors, model_cache)
    logits = _finite_logits(model, data.images)
    order = find_class_order(logits, data.image_dataset)
    if spec.reorder and order is not None:
        order = order._replace(applied=True)
        _reorder(model, match, order)
        logits = _finite_logits(model, data.images)
    listener.check()
    accuracy = accuracies(logits, data.image_dataset)
    user_models.add(
        card,
        weights=weights.checksum(model),
        files={".safetensors": weights.to_bytes(model), ".npy": to_npy_bytes(logits)},
        facts=_facts(model_cache) | {"accuracies": accuracy.model_dump(by_alias=True)},
        pending=True,
    )
    evaluated = {
        "accuracies": accuracy,
        "classifier": card.id,
        "alternatives": choice.alternatives,
        "normalization": way,
        "trials": choice.trials,
        "trial_images": len(sample.labels),
        "trial_split": sample.split,
        "accuracy_test": compare_with_most_frequent(logits, data.image_dataset),
        "class_order": order,
    }
    artifacts.write_result(folder, _describe(match, converted, spec, "").model_copy(update=evaluated))
    return RunMetrics(fits=True, classifier=card.id, accuracies=accuracy, chance=1 / len(data.card.classes))


def add_locally(
    spec: AddCheckpointSpec, *, device: str, data_dir: Path, listener: RunListener
) -> tuple[int, RunMetrics, CheckpointResult]:
    """Validate a checkpoint in this process as a run of the history; return its number, metrics and result."""
    resolved = resolve_device(device)
    dataset = datasets.card(spec.dataset)  # A spec that names what does not exist leaves no row in the history.
    if spec.architecture:
        architectures.card(spec.architecture, dataset.size)
    run, metrics = record_run(
        RunStore(data_dir),
        spec,
        title=job_title(spec),
        device=resolved,
        work=lambda run: validate_checkpoint(
            spec, ModelCache(resolved, data_dir), listener, artifacts.run_dir(data_dir, run)
        ),
    )
    found = artifacts.read_result(artifacts.run_dir(data_dir, run), CheckpointResult)
    assert found is not None
    return run, metrics, found


def classifier_card(
    spec: AddCheckpointSpec,
    architecture_id: str,
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
    std: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> ClassifierCard:
    """Return the card that the classifier has with an architecture and a normalisation. Raises NotFoundError."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(architecture_id, dataset.size)
    return ClassifierCard(
        id=user_models.make_id(architecture_id, spec.dataset, spec.fingerprint()),
        title=spec.name or f"{architecture.title} · {dataset.title}, uploaded",
        summary=f"{architecture.summary} Its weights were uploaded as a file.",
        architecture=architecture_id,
        dataset=spec.dataset,
        mean=mean,
        std=std,
        roles=architecture.roles,
        recipe=None,
        seed=0,
        licence="Unknown: the weights were uploaded.",
        source=f"A file uploaded on {date.today():%-d %B %Y}, sha256 {spec.upload[:16]}…",
    )


def job_title(spec: AddCheckpointSpec) -> str:
    """Return the title of such a run."""
    return f"Validate {spec.name or 'a checkpoint'}"


def _describe(
    match: StateDictMatch, converted: Mapping[str, Any], spec: AddCheckpointSpec, reason: str
) -> CheckpointResult:
    """Return how the file matches, without accuracies; `reason` says why it does not fit."""
    mismatches = [*match.shape_mismatches, *match.head_mismatches(len(datasets.card(spec.dataset).classes))]
    return CheckpointResult(
        fits=not reason,
        tensors=len(converted["tensors"]),
        ignored=converted["ignored"][:MAX_TENSORS],
        missing=match.missing[:MAX_TENSORS],
        unexpected=match.leftover[:MAX_TENSORS],
        shape_mismatches=mismatches[:MAX_TENSORS],
        counts=MismatchCounts(len(match.missing), len(match.leftover), len(mismatches)),
        reason=reason,
        architecture=match.target.title,
        architecture_found=not spec.architecture,
        matched=match.how,
        one_channel=match.target.one_channel is not None,
        entry=converted["entry"],
        entries=[Entry(entry["name"], entry["tensors"]) for entry in converted["entries"]],
    )


def _build(
    card: ClassifierCard, match: StateDictMatch, tensors: Mapping[str, Tensor], model_cache: ModelCache
) -> nn.Module:
    model = model_cache.new_model(card, 0)
    model.load_state_dict(model.state_dict() | match.state(tensors))
    return model


def _finite_logits(model: nn.Module, images: Tensor) -> np.ndarray:
    logits = evaluate.logits(model, images)
    if not np.isfinite(logits).all():
        raise InvalidCheckpointError(
            "The model's outputs are not finite for some images. Check the checkpoint and the normalisation."
        )
    return logits


def _reorder(model: nn.Module, match: StateDictMatch, order: ClassOrder) -> None:
    """Put the rows of the head into another order, so that each output predicts the class of its number."""
    state = model.state_dict()
    rows = torch.tensor(order.order)
    model.load_state_dict(state | {name: state[name][rows.to(state[name].device)] for name in match.target.head})


def _facts(model_cache: ModelCache) -> dict[str, Any]:
    device = describe_device(str(model_cache.device))
    return {"seconds": 0.0, "made with": {"torch": torch.__version__, "device": device}}


JOB = Job(spec=AddCheckpointSpec, execute=lambda spec, context: validate_checkpoint(spec, *context))
