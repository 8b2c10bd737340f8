"""Measures UNSIR in its published setting: torchvision's ResNet-18 on all of CIFAR at 32 pixels.

Source: Tarun et al., Fast Yet Effective Machine Unlearning, 2023, tables of accuracy on retained and forgotten classes.
The paper does not name the forgotten classes; here it is the first, or the first twenty.
"""

from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.data import datasets, sources, user_catalog
from unlearn_core.data.ingest.import_spec import build_import_spec
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import import_dataset
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.listener import RunListener
from unlearn_core.models import architectures

ARCHITECTURE = "resnet18_torchvision"
TEST_IMAGES = 8000
"""Test images of each data set here; its other 2,000 are for validation."""
COLUMNS = ("name", "retain_before", "retain_after", "forget_before", "forget_after", "seconds", "trained_in", "device")
"""Accuracies as fractions on test images; seconds of unlearning, and of training the classifier."""


class PublishedResult(NamedTuple):
    """One published result, accuracies in per cent (None if not given), and the number of forgotten classes, of all."""

    name: str
    dataset: str
    classes: int
    all_classes: int
    retain: tuple[float, float]
    forget: tuple[float | None, float | None]
    note: str


PUBLISHED_RESULTS = (
    PublishedResult("CIFAR-10, one class", "cifar10", 1, 10, (77.86, 71.06), (81.01, 0.0), ""),
    PublishedResult(
        "CIFAR-100, twenty classes",
        "cifar100",
        20,
        100,
        (77.88, 75.38),
        (None, None),
        "On CIFAR-100 the paper's model was pretrained with weights that are not available; ours is trained from "
        "scratch.",
    ),
)


def measure(published: PublishedResult, *, device: str, data_dir: Path, listener: RunListener) -> dict[str, Any]:
    """Prepare the data set, train the classifier (or resume its training), unlearn, and return the row."""
    user_catalog.set_data_dir(data_dir)
    dataset = _dataset(published, data_dir, listener)
    recipe = architectures.card(ARCHITECTURE).recipe
    spec = TrainSpec(architecture=ARCHITECTURE, dataset=dataset, recipe=recipe)
    _, trained = train_locally(spec, device=device, data_dir=data_dir, listener=listener)
    names = datasets.card(dataset).classes[: published.classes]
    assert trained.classifier is not None
    run = run_spec(trained.classifier, method="unsir", preset="paper", classes=list(names))
    report = unlearn(run, device=device, data_dir=data_dir, listener=listener).report
    scores = report[AccuracyResult].scores
    figures = {
        f"{side}_{model}": round(scores[model][f"{side}_test"].accuracy, 5)
        for side in ("retain", "forget")
        for model in ("before", "after")
    }
    return {
        "name": published.name,
        **figures,
        "seconds": round(report[TimingsResult].seconds.forget, 1),
        "trained_in": round(trained.total_seconds),
        "device": describe_device(device),
    }


def _dataset(published: PublishedResult, data_dir: Path, listener: RunListener) -> str:
    """Return the id of the data set, prepared if it was not."""
    if published.dataset not in datasets.cards():
        import_dataset.import_dataset(build_import_spec(sources.source(published.dataset), {}), data_dir, listener)
    return published.dataset
