"""What stays on the device between runs: data sets and trained nets."""

from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.image_dataset import Pictures
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import BadAsset, Diverged
from unlearn_core.domain.forget_request import Forget, ForgetRequest
from unlearn_core.domain.report import Evaluation
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.probes import membership
from unlearn_core.probes.common import class_activation
from unlearn_core.store.files.evaluations import Evaluations
from unlearn_core.store.files.golds import Golds
from unlearn_core.training import evaluate, weights
from unlearn_core.training.memory import keep_freed_memory
from unlearn_core.training.seeding import seeded
from unlearn_core.training.streaming import placed

REMEDY = "Turn the learning rate down, or whatever else says how hard the method hits, and run it again."


class Data(NamedTuple):
    """A data set on the device: images (N, H, W, 3) uint8, streamed if they do not fit, and labels (N,) int64."""

    card: DatasetCard
    pictures: Pictures
    images: Tensor
    labels: Tensor


class Trained(NamedTuple):
    """A trained net in eval mode, with its checksum; never to be changed: copy it first."""

    name: str
    weights: str
    net: nn.Module


class Warm:
    """A device, what lies on it, and the data folder that belongs to it."""

    def __init__(self, device: str, home: Path) -> None:
        self.device, self.home = torch.device(device), home
        user_catalog.use(home)
        if self.device.type == "cpu":
            keep_freed_memory()
        self._data: dict[str, Data] = {}
        self._nets: dict[str, Trained] = {}

    def prepare(self) -> None:
        """Loads what somebody would otherwise wait for: what probes import late, every original, its pictures."""
        class_activation.prepare()
        membership.prepare()
        for card in classifiers.cards().values():
            if self.original(card) is not None:
                self.data(card.dataset)

    @cached_property
    def evaluations(self) -> Evaluations:
        return Evaluations(self.home / "evaluations")

    @cached_property
    def golds(self) -> Golds:
        return Golds(self.home)

    def data(self, name: str) -> Data:
        """A data set, loaded once. Raises UnknownName or BadAsset."""
        if name not in self._data:
            pictures = datasets.load(name)
            images = placed(torch.from_numpy(pictures.images), self.device)
            labels = torch.from_numpy(pictures.labels).to(self.device)
            self._data[name] = Data(datasets.card(name), pictures, images, labels)
        return self._data[name]

    def fresh(self, card: ClassifierCard, seed: int, *purpose: str | int) -> nn.Module:
        """A net of that architecture on the device, its weights drawn from a seed; each purpose has its own."""
        with seeded(seed, "init", *purpose):
            net = classifiers.build(card, datasets.card(card.dataset))
        return net.to(self.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def from_bytes(self, card: ClassifierCard, name: str, data: bytes) -> Trained:
        """A net with stored weights."""
        net = self.fresh(card, 0)
        weights.from_bytes(net, data)
        return Trained(name, weights.checksum(net), net.eval().requires_grad_(False))

    def original(self, card: ClassifierCard, *, other_seed: bool = False) -> Trained | None:
        """The classifier as it ships, or the one that the same recipe gave from the next seed, if there is one."""
        return self._shipped(card, None, card.seed + other_seed)

    def gold(self, card: ClassifierCard, request: ForgetRequest, seed: int) -> Trained | None:
        """The gold of a request: a shipped one, or one trained here; None where nobody has trained it yet."""
        shipped = self._shipped(card, request.forget, bundled_models.GOLD_SEED + seed)
        if shipped is not None:
            return shipped
        found = self.golds.find(request, seed)
        return None if found is None else self.from_bytes(card, found.name, found.data)

    def evaluation(self, trained: Trained, card: ClassifierCard) -> Evaluation:
        """What a net answers to its whole data set; computed only where nobody has asked before.

        Raises Diverged where an answer is no finite number: no figure could be made of it.
        """
        known = self.evaluations.get(trained.weights, card.dataset, card.id)
        if known is None:
            logits = evaluate.logits(trained.net, self.data(card.dataset).images)
            lost = int((~np.isfinite(logits)).any(1).sum())
            if lost:
                raise Diverged(f"The net's answers to {lost:,} pictures are no longer numbers. {REMEDY}")
            known = Evaluation(trained.weights, card.dataset, logits)
            self.evaluations.put(known)
        return known

    def _shipped(self, card: ClassifierCard, forget: Forget | None, seed: int) -> Trained | None:
        found = bundled_models.find(card.id, forget, seed)
        if found is None:
            return None
        if found.weights not in self._nets:
            trained = self.from_bytes(card, found.name, bundled_models.weights_of(found))
            if trained.weights != found.weights:
                raise BadAsset(f"{found.name} is not the net that it should be. Restore it: `git checkout -- assets`.")
            self._nets[found.weights] = trained
        return self._nets[found.weights]


def after_of(net: nn.Module) -> Trained:
    """What a method has made of the net it was handed, ready to be asked. Raises Diverged where that is no net."""
    broken = weights.broken(net)
    if broken:
        raise Diverged(f"Weights of the net are no longer numbers ({broken[0]} is the first). {REMEDY}")
    return Trained("after", weights.checksum(net), net.eval().requires_grad_(False))


def copy_of(net: nn.Module) -> nn.Module:
    """A net that may be changed, equal to one that may not."""
    return deepcopy(net).requires_grad_(True)
