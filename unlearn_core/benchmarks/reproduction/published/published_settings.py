"""The published settings of UNSIR and L2UL: their models, requests and hyperparameters, and the figures as published.

Sources: Tarun et al., Fast Yet Effective Machine Unlearning, 2023, tables of accuracy on retained and forgotten
classes; Cha et al., Learning to Unlearn, 2024, and its code. UNSIR's paper does not name the forgotten classes: here
they are the first ones. L2UL's tables could not be read, so nothing stands beside its rows.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.domain.cards import DatasetCard

TEST_IMAGES = 8000
"""Test images of each data set here; its other 2,000 are for validation."""
NUM_CLASSES = {"cifar10": 10, "cifar100": 100}
UNSIR, L2UL = "UNSIR", "L2UL"


class PublishedResult(NamedTuple):
    """Accuracies in per cent before and after as published; None if not given."""

    retain: tuple[float, float]
    forget: tuple[float | None, float | None]
    note: str = ""


class PublishedSetting(NamedTuple):
    """One setting: a work's model and data set, what is forgotten, and changes to a method's preset `paper`.

    Either the first `classes` classes are forgotten, or so many single `images`.
    """

    name: str
    work: str
    dataset: str
    architecture: str
    method: str
    classes: int = 0
    images: int = 0
    changes: Mapping[str, Any] = {}

    @property
    def published(self) -> PublishedResult | None:
        """The figures as published, if there are any."""
        return PUBLISHED_RESULTS.get(self.name)

    def chosen_images(self, card: DatasetCard, seed: int) -> list[int]:
        """The single images that are forgotten, drawn from all training images; none where classes are forgotten."""
        return np.random.default_rng(seed).permutation(card.train)[: self.images].tolist()


_ONE, _TWENTY = "CIFAR-10, one class", "CIFAR-100, twenty classes"
PUBLISHED_RESULTS = {
    _ONE: PublishedResult((77.86, 71.06), (81.01, 0.0)),
    _TWENTY: PublishedResult(
        (77.88, 75.38),
        (None, None),
        "On CIFAR-100 the paper's model was pretrained with weights that are not available; ours is trained from "
        "scratch.",
    ),
}
"""The figures as published, by setting."""
_VARIANTS: dict[str, dict[str, Any]] = {
    "no noise": {"noise": "none"},
    "60 noise images shown": {"noise_pictures": 3},
    "256 noise images shown": {"noise_repeats": 1},
    "100 retained images per class": {"kept_per_class": 100},
    "300 retained images per class": {"kept_per_class": 300},
}
"""What UNSIR's single class is measured with besides its preset, which has 1,000 retained images per class.

The preset shows 256 noise images twenty times, 5,120 in all. The notebook takes its loop's length from the number of
channels, and so shows three of them twenty times.
"""
_SAFEGUARDS: dict[str, dict[str, Any]] = {"ADV and IMP": {}, "ADV": {"guard": "adv"}, "NegGrad": {"guard": "none"}}


@cache
def published_settings() -> dict[str, PublishedSetting]:
    """Return all settings by name, the most telling first."""
    found = [
        _unsir(_ONE, 1),
        _unsir(_TWENTY, 20, "cifar100"),
        *_l2ul(16),
        *(_unsir(f"{_ONE}, {name}", 1)._replace(changes=changes) for name, changes in _VARIANTS.items()),
        _unsir(f"{_ONE}, Fisher forgetting", 1)._replace(method="fisher"),
        *(_unsir(f"CIFAR-10, {count} classes", count) for count in (2, 4, 7)),
        _unsir("CIFAR-100, one class", 1, "cifar100"),
        *(_unsir(f"CIFAR-100, {count} classes", count, "cifar100") for count in (40, 60)),
        *_l2ul(64),
        *_l2ul(256),
    ]
    return {setting.name: setting for setting in found}


def _unsir(name: str, classes: int, dataset: str = "cifar10") -> PublishedSetting:
    return PublishedSetting(name, UNSIR, dataset, "resnet18_torchvision", "unsir", classes=classes)


def _l2ul(images: int) -> list[PublishedSetting]:
    return [
        PublishedSetting(
            f"CIFAR-10, {images} images, {name}", L2UL, "cifar10", "resnet18", "l2ul", images=images, changes=changes
        )
        for name, changes in _SAFEGUARDS.items()
    ]
