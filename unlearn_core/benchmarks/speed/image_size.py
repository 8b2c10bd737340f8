"""What an architecture costs on images of a size: images per second and memory, before any such images are at hand.

The images are noise: what they show changes neither the seconds nor the memory.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.probes.common import class_activation
from unlearn_core.training import evaluate
from unlearn_core.training.loops import train
from unlearn_core.training.memory import keep_freed_memory
from unlearn_core.training.seeding import seeded

CLASSES, BATCH, TRAINED, EXPLAINED = 10, 32, 128, 12
"""Classes, images in a training step, images in the timed epoch, and images with a Grad-CAM map."""
REFERENCE_IMAGES = 10_000
"""The number of images whose own size is stated."""


def measure(architecture: str, size: int, device: torch.device) -> dict[str, float]:
    """Times training, evaluation and Grad-CAM of a model with fresh weights on square images of `size` pixels.

    Memory is the most that this process has needed so far, so measure one size per process. Raises NotFoundError and
    NotSupportedError.
    """
    card = architectures.card(architecture, size)
    if device.type == "cpu":
        keep_freed_memory()
    with seeded(0, "init"):
        model = architectures.build(architecture, CLASSES, size, Normalize((0.5,) * 3, (0.25,) * 3)).to(device)
    model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    noise = np.random.default_rng(0).integers(0, 256, (TRAINED, size, size, 3), np.uint8)
    images, labels = torch.from_numpy(noise).to(device), torch.arange(TRAINED, device=device) % CLASSES
    before = _peak_megabytes(device)

    def explain() -> None:
        some, targets = images[:EXPLAINED], labels[:EXPLAINED].tolist()
        class_activation.explain({"it": model}, some, targets, card.roles.cam, prefix_tokens=card.roles.prefix_tokens)

    def train_epoch(count: int) -> None:
        rows, recipe = torch.arange(count, device=device), Recipe(epochs=1, batch=BATCH, peak=0.01)
        train(model, recipe, images, labels, rows, seed=0, tracker=NullTracker())

    train_epoch(BATCH)  # Exclude one-time costs.
    trained = TRAINED / _seconds(lambda: train_epoch(TRAINED), device)
    evaluated = TRAINED / _seconds(lambda: evaluate.logits(model, images), device)
    figures = {"training: images per second": trained, "evaluation: images per second": evaluated}
    if card.roles.cam is not None:
        explain()
        figures["Grad-CAM: images per second"] = EXPLAINED / _seconds(explain, device)
    return {
        "weights (millions)": _count(model) / 1e6,
        **figures,
        "memory before the first image (MB)": before,
        "memory at most (MB)": _peak_megabytes(device),
        f"a data set of {REFERENCE_IMAGES:,} such images (MB)": REFERENCE_IMAGES * 3 * size**2 / 1e6,
    }


def _count(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _peak_megabytes(device: torch.device) -> float:
    """The most memory that this process has needed so far: on a GPU there, else of the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
