"""Training that is saved after every epoch, can be preempted, and resumes with bit-identical results."""

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
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.training import cpu_threads
from unlearn_core.training.loops import TrainingState, train

THREADS = "threads"
"""The key of the number of threads in a saved state: with another number, the weights would differ in last bits."""

NOTES = "notes"
"""The key of the caller's notes in a saved state."""


class TrainingTime(NamedTuple):
    """Seconds of a training in all and in this session, and the images trained on in this session."""

    seconds: float
    this_session: float
    images_seen: int

    @property
    def seconds_per_image(self) -> float | None:
        """Seconds per image; None without any."""
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
    """Train `model` on the images at these rows, or resume from the state in `file`.

    `take_notes` gets the state after each epoch and the earlier notes ({} at first), and returns the notes to store:
    plain values. Raises PreemptedError between two epochs if a more urgent job is queued, CancelledError between two
    steps, and DivergedError.
    """
    began, device = time.perf_counter(), data.images.device
    state = torch.load(file, weights_only=True, map_location=device) if file.exists() else None
    spent = state["seconds"] if state else 0.0
    notes = state.get(NOTES, {}) if state else {}
    if state and device.type == "cpu":
        cpu_threads.use(state.get(THREADS, torch.get_num_threads()))

    def after_epoch(state: TrainingState) -> None:
        nonlocal notes
        notes = take_notes(state, notes)
        buffer = io.BytesIO()
        torch.save(
            state | {NOTES: notes, THREADS: torch.get_num_threads(), "seconds": spent + time.perf_counter() - began},
            buffer,
        )
        atomic_write(file, buffer.getvalue())
        if state["epochs"] < recipe.epochs and listener.should_yield():
            raise PreemptedError(f"Paused after epoch {state['epochs']} for a more urgent run; continues afterwards.")

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
    session = time.perf_counter() - began
    return TrainingTime(spent + session, session, tracker.images_seen)
