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
from unlearn_core.domain.errors import BadUpload
from unlearn_core.domain.jobs import AddSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.engine.devices import describe, resolve
from unlearn_core.engine.jobs.train_classifier import accuracies, as_array
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.record_run import in_history
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.models import architectures, user_models
from unlearn_core.models.upload import receive
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights

PART = "checkpoint"
"""The part of the run's folder that says what fits and what does not."""

SHOWN = 200
"""At most so many names of a kind are kept."""

PREFIXES = ("", "net.", "model.", "backbone.", "encoder.")
"""What may stand before every name, in the file or in ours."""


class Fit(NamedTuple):
    """How a checkpoint's tensors match a net's: what can be put in, and the names of what cannot.

    `shapes` has name, the net's shape and the file's; counters of batch norm, which old checkpoints lack, count not.
    """

    state: dict[str, Tensor]
    missing: list[str]
    unexpected: list[str]
    shapes: list[tuple[str, list[int], list[int]]]

    @property
    def whole(self) -> bool:
        """Whether every weight of the net is filled; what else the file holds is left out."""
        return not self.missing and not self.shapes


def look_over(spec: AddSpec, warm: Warm, listener: Listener, folder: Path) -> dict[str, Any]:
    """Converts the file, compares it with the architecture, asks it all pictures; gives the headline.

    What was found is written to `folder` as a part. Where it fits, the classifier waits to be taken in
    (`catalog.trained.take`). Raises BadUpload, UnknownName, NotSupported and Cancelled.
    """
    listener.check()
    card, data = card_of(spec), warm.data(spec.dataset)
    tracker = RunTracker(listener)
    tracker.doing("opening")
    told = receive.convert(spec.upload)
    net = warm.fresh(card, 0)
    found = fit(load(receive.plain(spec.upload).read_bytes()), net.state_dict())
    facts = {
        "fits": found.whole,
        "tensors": len(told["tensors"]),
        "ignored": told["ignored"][:SHOWN],
        "missing": found.missing[:SHOWN],
        "unexpected": found.unexpected[:SHOWN],
        "shapes": found.shapes[:SHOWN],
        "counts": [len(found.missing), len(found.unexpected), len(found.shapes)],
        "why": why_not(found, card, data.card),
    }
    if not found.whole:
        artifacts.write_part(folder, PART, Part(facts, {}))
        return {"fits": False, "why": facts["why"]}
    net.load_state_dict(net.state_dict() | found.state)
    tracker.doing("evaluating")
    logits = evaluate.logits(net, data.images)
    if not np.isfinite(logits).all():
        raise BadUpload("Its answers to some pictures are no finite numbers, so no figure could be made of them.")
    accuracy = accuracies(logits, data.pictures)
    files = {".safetensors": weights.to_bytes(net), ".npy": as_array(logits)}
    made = {"seconds": 0.0, "made with": {"torch": torch.__version__, "device": describe(str(warm.device))}}
    user_models.put(card, weights=weights.checksum(net), files=files, facts=made | {"accuracies": accuracy}, wait=True)
    artifacts.write_part(folder, PART, Part(facts | {"accuracies": accuracy, "classifier": card.id}, {}))
    return {"fits": True, "classifier": card.id, "accuracies": accuracy, "chance": 1 / len(data.card.classes)}


def add_here(spec: AddSpec, *, device: str, home: Path, listener: Listener) -> tuple[int, dict[str, Any], Part]:
    """Looks a checkpoint over in this process, as a run of the history: its number, headline and what was found."""
    where = resolve(device)
    run, headline = in_history(
        RunStore(home),
        spec,
        title=title_of(card_of(spec)),
        device=where,
        work=lambda run: look_over(spec, Warm(where, home), listener, artifacts.folder_of(home, run)),
    )
    found = artifacts.read_part(artifacts.folder_of(home, run), PART)
    assert found is not None
    return run, headline, found


def card_of(spec: AddSpec) -> ClassifierCard:
    """The card that it would have. Raises UnknownName."""
    dataset = datasets.card(spec.dataset)
    architecture = architectures.card(spec.architecture, dataset.size)
    return ClassifierCard(
        id=user_models.named(spec.architecture, spec.dataset, spec.fingerprint()),
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


def title_of(card: ClassifierCard) -> str:
    """What such a run is called."""
    return f"Look over {card.title}"


def fit(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Fit:
    """Matches a file's tensors with a net's, under the prefix by which most names agree."""
    bare = {name for name in own if not name.endswith("num_batches_tracked")}
    state = dict(
        max(
            (_renamed(given, take, put) for take in PREFIXES for put in PREFIXES),
            key=lambda one: len(bare & one.keys()),
        )
    )
    shapes = [
        (n, list(own[n].shape), list(state[n].shape)) for n in own if n in state and own[n].shape != state[n].shape
    ]
    unfit = {name for name, _, _ in shapes}
    return Fit(
        {name: value for name, value in state.items() if name in own and name not in unfit},
        sorted(bare - state.keys()),
        sorted(state.keys() - own.keys()),
        shapes,
    )


def why_not(found: Fit, card: ClassifierCard, dataset: DatasetCard) -> str:
    """What stands in the way, in a sentence; "" where nothing does."""
    if found.whole:
        return ""
    heads = tuple(f"{head}." for head in card.roles.head)
    counts = {theirs[0] for name, ours, theirs in found.shapes if name.startswith(heads) and theirs}
    if counts and all(name.startswith(heads) for name, _, _ in found.shapes) and not found.missing:
        return (
            f"It tells {min(counts):,} classes apart, and {dataset.title} has {len(dataset.classes):,}. "
            "Choose the data set that it was trained on."
        )
    return (
        f"{len(found.missing):,} tensors of this architecture are missing in it, {len(found.shapes):,} have another "
        f"shape, and {len(found.unexpected):,} have names that the architecture does not know. "
        "Choose the architecture that it was saved from."
    )


def _renamed(given: Mapping[str, Tensor], take: str, put: str) -> dict[str, Tensor]:
    return {put + name.removeprefix(take): value for name, value in given.items()}
