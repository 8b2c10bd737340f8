"""UNSIR in its own setting: torchvision's ResNet-18 on all of CIFAR at 32 pixels, with the published settings.

Source: Tarun et al., Fast Yet Effective Machine Unlearning, 2023, tables of accuracy on kept and on forgotten classes.
Which class or classes were forgotten there is not said; here it is the first, or the first twenty.
"""

from pathlib import Path
from typing import Any, NamedTuple

from unlearn_core.data import datasets, sources, user_catalog
from unlearn_core.data.ingest.import_spec import asked
from unlearn_core.domain.jobs import TrainSpec
from unlearn_core.engine.build_spec import spec
from unlearn_core.engine.devices import describe
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import import_dataset
from unlearn_core.engine.jobs.train_classifier import train_here
from unlearn_core.engine.listener import Listener
from unlearn_core.models import architectures

ARCHITECTURE = "resnet18_torchvision"
COLUMNS = ("name", "retain_before", "retain_after", "forget_before", "forget_after", "seconds", "trained_in", "device")
"""Accuracies as fractions on unseen pictures; seconds of forgetting, and of training the classifier before."""


class Experiment(NamedTuple):
    """One published row, accuracies in per cent, None where the paper gives none; and what is forgotten here."""

    name: str
    dataset: str
    classes: int
    retain: tuple[float, float]
    forget: tuple[float | None, float | None]
    note: str


EXPERIMENTS = (
    Experiment("CIFAR-10, one class", "cifar10", 1, (77.86, 71.06), (81.01, 0.0), ""),
    Experiment(
        "CIFAR-100, twenty classes",
        "cifar100",
        20,
        (77.88, 75.38),
        (None, None),
        "On CIFAR-100 the paper's net was pretrained with weights that are not to be had; ours is trained from "
        "nothing.",
    ),
)


def measure(experiment: Experiment, *, device: str, home: Path, listener: Listener) -> dict[str, Any]:
    """Prepares the pictures, trains the classifier (what was begun goes on), forgets, and gives the row."""
    user_catalog.use(home)
    dataset = _dataset(experiment, home, listener)
    recipe = architectures.card(ARCHITECTURE).recipe
    wish = TrainSpec(architecture=ARCHITECTURE, dataset=dataset, recipe=recipe)
    _, trained = train_here(wish, device=device, home=home, listener=listener)
    names = datasets.card(dataset).classes[: experiment.classes]
    run = spec(trained["classifier"], method="unsir", preset="paper", classes=list(names))
    found = unlearn(run, device=device, home=home, listener=listener).headline
    figures = {
        f"{side}_{model}": round(found["accuracy"][model][f"{side}_test"], 5)
        for side in ("retain", "forget")
        for model in ("before", "after")
    }
    return {
        "name": experiment.name,
        **figures,
        "seconds": round(found["seconds"]["forget"], 1),
        "trained_in": round(trained["seconds"]["total"]),
        "device": describe(device),
    }


def _dataset(experiment: Experiment, home: Path, listener: Listener) -> str:
    """The id of the prepared data set."""
    if experiment.dataset not in datasets.cards():
        import_dataset.bring_in(asked(sources.source(experiment.dataset), {}), home, listener)
    return experiment.dataset
