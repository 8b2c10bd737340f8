"""Looks over a checkpoint that somebody brought, before it may be used: does it fit, and how good is it?"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.engine.devices import describe_device, resolve_device
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

PART = "checkpoint"
"""The part of the run's folder that says what fits and what does not."""

MAX_NAMES = 200
"""At most so many names of a kind are kept."""

PREFIXES = ("", "net.", "model.", "backbone.", "encoder.")
"""What may stand before every name, in the file or in ours."""


class StateDictMatch(NamedTuple):
    """How a checkpoint's tensors match a net's: what can be put in, and the names of what cannot.

    `shapes` has name, the net's shape and the file's; counters of batch norm, which old checkpoints lack, count not.
    """

    state: dict[str, Tensor]
    missing: list[str]
    unexpected: list[str]
    shape_mismatches: list[tuple[str, list[int], list[int]]]

    @property
    def complete(self) -> bool:
        """Whether every weight of the net is filled; what else the file holds is left out."""
        return not self.missing and not self.shape_mismatches


def validate_checkpoint(
    spec: AddCheckpointSpec, model_cache: ModelCache, listener: RunListener, folder: Path
) -> dict[str, Any]:
    """Converts the file, compares it with the architecture, asks it all pictures; gives the headline.

    What was found is written to `folder` as a part. Where it fits, the classifier waits to be taken in
    (`catalog.trained.take`). Raises BadUpload, UnknownName, NotSupported and Cancelled.
    """
    listener.check()
    card, data = classifier_card(spec), model_cache.dataset(spec.dataset)
    tracker = RunTracker(listener)
    tracker.set_stage("opening")
    told = receive.convert(spec.upload)
    net = model_cache.new_model(card, 0)
    found = match_state_dict(load(receive.safetensors_path(spec.upload).read_bytes()), net.state_dict())
    facts = {
        "fits": found.complete,
        "tensors": len(told["tensors"]),
        "ignored": told["ignored"][:MAX_NAMES],
        "missing": found.missing[:MAX_NAMES],
        "unexpected": found.unexpected[:MAX_NAMES],
        "shapes": found.shape_mismatches[:MAX_NAMES],
        "counts": [len(found.missing), len(found.unexpected), len(found.shape_mismatches)],
        "why": mismatch_reason(found, card, data.card),
    }
    if not found.complete:
        artifacts.write_part(folder, PART, ReportPart(facts, {}))
        return {"fits": False, "why": facts["why"]}
    net.load_state_dict(net.state_dict() | found.state)
    tracker.set_stage("evaluating")
    logits = evaluate.logits(net, data.images)
    if not np.isfinite(logits).all():
        raise InvalidCheckpointError(
            "Its answers to some pictures are no finite numbers, so no figure could be made of them."
        )
    accuracy = accuracies(logits, data.image_dataset)
    files = {".safetensors": weights.to_bytes(net), ".npy": to_npy_bytes(logits)}
    made = {
        "seconds": 0.0,
        "made with": {"torch": torch.__version__, "device": describe_device(str(model_cache.device))},
    }
    user_models.add(
        card, weights=weights.checksum(net), files=files, facts=made | {"accuracies": accuracy}, pending=True
    )
    artifacts.write_part(folder, PART, ReportPart(facts | {"accuracies": accuracy, "classifier": card.id}, {}))
    return {"fits": True, "classifier": card.id, "accuracies": accuracy, "chance": 1 / len(data.card.classes)}


def add_locally(
    spec: AddCheckpointSpec, *, device: str, data_dir: Path, listener: RunListener
) -> tuple[int, dict[str, Any], ReportPart]:
    """Looks a checkpoint over in this process, as a run of the history: its number, headline and what was found."""
    where = resolve_device(device)
    run, headline = record_run(
        RunStore(data_dir),
        spec,
        title=job_title(classifier_card(spec)),
        device=where,
        work=lambda run: validate_checkpoint(
            spec, ModelCache(where, data_dir), listener, artifacts.run_dir(data_dir, run)
        ),
    )
    found = artifacts.read_part(artifacts.run_dir(data_dir, run), PART)
    assert found is not None
    return run, headline, found


def classifier_card(spec: AddCheckpointSpec) -> ClassifierCard:
    """The card that it would have. Raises UnknownName."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    return ClassifierCard(
        id=user_models.make_id(spec.architecture, spec.dataset, spec.fingerprint()),
        title=spec.name or f"{architecture.title} · {dataset.title}, brought",
        summary=f"{architecture.summary} Its weights were brought here as a file.",
        architecture=spec.architecture,
        dataset=spec.dataset,
        mean=spec.mean,
        std=spec.std,
        roles=architecture.roles,
        recipe=None,
        seed=0,
        licence="Known to whoever brought it.",
        source=f"A file brought on {date.today():%-d %B %Y}, sha256 {spec.upload[:16]}…",
    )


def job_title(card: ClassifierCard) -> str:
    """What such a run is called."""
    return f"Look over {card.title}"


def match_state_dict(file_state: Mapping[str, Tensor], model_state: Mapping[str, Tensor]) -> StateDictMatch:
    """Matches a file's tensors with a net's, under the prefix by which most names agree."""
    bare = {name for name in model_state if not name.endswith("num_batches_tracked")}
    state = dict(
        max(
            (_renamed(file_state, take, put) for take in PREFIXES for put in PREFIXES),
            key=lambda one: len(bare & one.keys()),
        )
    )
    shapes = [
        (n, list(model_state[n].shape), list(state[n].shape))
        for n in model_state
        if n in state and model_state[n].shape != state[n].shape
    ]
    unfit = {name for name, _, _ in shapes}
    return StateDictMatch(
        {name: value for name, value in state.items() if name in model_state and name not in unfit},
        sorted(bare - state.keys()),
        sorted(state.keys() - model_state.keys()),
        shapes,
    )


def mismatch_reason(matched: StateDictMatch, card: ClassifierCard, dataset: DatasetCard) -> str:
    """What stands in the way, in a sentence; "" where nothing does."""
    if matched.complete:
        return ""
    heads = tuple(f"{head}." for head in card.roles.head)
    counts = {theirs[0] for name, ours, theirs in matched.shape_mismatches if name.startswith(heads) and theirs}
    if counts and all(name.startswith(heads) for name, _, _ in matched.shape_mismatches) and not matched.missing:
        return (
            f"It tells {min(counts):,} classes apart, and {dataset.title} has {len(dataset.classes):,}. "
            "Choose the data set that it was trained on."
        )
    return (
        f"{len(matched.missing):,} tensors of this architecture are missing in it, {len(matched.shape_mismatches):,} have another "
        f"shape, and {len(matched.unexpected):,} have names that the architecture does not know. "
        "Choose the architecture that it was saved from."
    )


def _renamed(given: Mapping[str, Tensor], strip_prefix: str, add_prefix: str) -> dict[str, Tensor]:
    return {add_prefix + name.removeprefix(strip_prefix): value for name, value in given.items()}
