"""Trainings that are saved after every epoch, give way to what is more urgent, and go on with the same bits."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import PreemptedError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import DeviceDataset
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.training.loops import TrainingState, train

NOTES = "notes"
"""Under this name a state keeps what its owner noted along the way."""


class TrainingTime(NamedTuple):
    """Seconds that a training took in all and in this last stretch, and the pictures that went through it there."""

    seconds: float
    this_session: float
    images_seen: int

    @property
    def seconds_per_image(self) -> float | None:
        """Seconds a picture."""
        return self.this_session / self.images_seen if self.images_seen else None


def train_resumable(
    model: nn.Module,
    recipe: Recipe,
    data: DeviceDataset,
    rows: np.ndarray,
    *,
    seed: int,
    file: Path,
    listener: RunListener,
    take_notes: Callable[[TrainingState, dict[str, Any]], dict[str, Any]] = lambda state, notes: notes,
) -> TrainingTime:
    """Trains `net` on the pictures at these rows, or goes on where `file` says that it was stopped.

    `note` is handed the state after each epoch and what was noted before, {} at first, and gives what is to be
    remembered now: plain values. Raises GaveWay between two epochs where something more urgent waits, Cancelled
    between two steps, and Diverged.
    """
    began, device = time.perf_counter(), data.images.device
    state = torch.load(file, weights_only=True, map_location=device) if file.exists() else None
    spent = state["seconds"] if state else 0.0
    notes = state.get(NOTES, {}) if state else {}

    def after_epoch(state: TrainingState) -> None:
        nonlocal notes
        notes = take_notes(state, notes)
        buffer = io.BytesIO()
        torch.save(state | {NOTES: notes, "seconds": spent + time.perf_counter() - began}, buffer)
        atomic_write(file, buffer.getvalue())
        if state["epochs"] < recipe.epochs and listener.should_yield():
            raise PreemptedError(
                f"Stopped after epoch {state['epochs']} for something more urgent; goes on afterwards."
            )

    tracker = RunTracker(listener)
    train(
        model,
        recipe,
        data.images,
        data.labels,
        torch.from_numpy(rows).to(device),
        seed=seed,
        tracker=tracker,
        state=state,
        after_epoch=after_epoch,
    )
    here = time.perf_counter() - began
    return TrainingTime(spent + here, here, tracker.images_seen)
