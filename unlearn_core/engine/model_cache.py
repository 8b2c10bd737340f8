"""What stays on the device between runs: data sets and trained nets."""

from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import CorruptAssetError, DivergedError
from unlearn_core.domain.forget_request import Forget, ForgetRequest
from unlearn_core.domain.report import Evaluation
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.probes.common import class_activation, logistic_attack
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.training import evaluate, weights
from unlearn_core.training.memory import keep_freed_memory
from unlearn_core.training.seeding import seeded
from unlearn_core.training.streaming import to_device_or_stream

DIVERGED_ADVICE = "Turn the learning rate down, or whatever else says how hard the method hits, and run it again."


class DeviceDataset(NamedTuple):
    """A data set on the device: images (N, H, W, 3) uint8, streamed if they do not fit, and labels (N,) int64."""

    card: DatasetCard
    image_dataset: ImageDataset
    images: Tensor
    labels: Tensor


class FrozenModel(NamedTuple):
    """A trained net in eval mode, with its checksum; never to be changed: copy it first."""

    name: str
    weights: str
    module: nn.Module


class ModelCache:
    """A device, what lies on it, and the data folder that belongs to it."""

    def __init__(self, device: str, data_dir: Path) -> None:
        self.device, self.data_dir = torch.device(device), data_dir
        user_catalog.set_data_dir(data_dir)
        if self.device.type == "cpu":
            keep_freed_memory()
        self._data: dict[str, DeviceDataset] = {}
        self._nets: dict[str, FrozenModel] = {}

    def prepare(self) -> None:
        """Loads what somebody would otherwise wait for: what probes import late, every original, its pictures."""
        class_activation.preload()
        logistic_attack.preload()
        for card in classifiers.cards().values():
            if self.original(card) is not None:
                self.dataset(card.dataset)

    @cached_property
    def evaluations(self) -> EvaluationStore:
        return EvaluationStore(self.data_dir / "evaluations")

    @cached_property
    def golds(self) -> GoldStore:
        return GoldStore(self.data_dir)

    def dataset(self, name: str) -> DeviceDataset:
        """A data set, loaded once. Raises UnknownName or BadAsset."""
        if name not in self._data:
            pictures = datasets.load(name)
            images = to_device_or_stream(torch.from_numpy(pictures.images), self.device)
            labels = torch.from_numpy(pictures.labels).to(self.device)
            self._data[name] = DeviceDataset(datasets.card(name), pictures, images, labels)
        return self._data[name]

    def new_model(self, card: ClassifierCard, seed: int, *purpose: str | int) -> nn.Module:
        """A net of that architecture on the device, its weights drawn from a seed; each purpose has its own."""
        with seeded(seed, "init", *purpose):
            net = classifiers.build(card, datasets.card(card.dataset))
        return net.to(self.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def load_model(self, card: ClassifierCard, name: str, data: bytes) -> FrozenModel:
        """A net with stored weights."""
        net = self.new_model(card, 0)
        weights.from_bytes(net, data)
        return FrozenModel(name, weights.checksum(net), net.eval().requires_grad_(False))

    def original(self, card: ClassifierCard, *, other_seed: bool = False) -> FrozenModel | None:
        """The classifier as it ships, or the one that the same recipe gave from the next seed, if there is one."""
        return self._bundled(card, None, card.seed + other_seed)

    def gold(self, card: ClassifierCard, request: ForgetRequest, seed: int) -> FrozenModel | None:
        """The gold of a request: a shipped one, or one trained here; None where nobody has trained it yet."""
        shipped = self._bundled(card, request.forget, bundled_models.GOLD_SEED_OFFSET + seed)
        if shipped is not None:
            return shipped
        found = self.golds.find(request, seed)
        return None if found is None else self.load_model(card, found.name, found.data)

    def evaluation(self, model: FrozenModel, card: ClassifierCard) -> Evaluation:
        """What a net answers to its whole data set; computed only where nobody has asked before.

        Raises Diverged where an answer is no finite number: no figure could be made of it.
        """
        known = self.evaluations.get(model.weights, card.dataset, card.id)
        if known is None:
            logits = evaluate.logits(model.module, self.dataset(card.dataset).images)
            lost = int((~np.isfinite(logits)).any(1).sum())
            if lost:
                raise DivergedError(f"The net's answers to {lost:,} pictures are no longer numbers. {DIVERGED_ADVICE}")
            known = Evaluation(model.weights, card.dataset, logits)
            self.evaluations.put(known)
        return known

    def _bundled(self, card: ClassifierCard, forget: Forget | None, seed: int) -> FrozenModel | None:
        found = bundled_models.find_bundled(card.id, forget, seed)
        if found is None:
            return None
        if found.weights not in self._nets:
            trained = self.load_model(card, found.name, bundled_models.read_weights(found))
            if trained.weights != found.weights:
                raise CorruptAssetError(
                    f"{found.name} is not the net that it should be. Restore it: `git checkout -- assets`."
                )
            self._nets[found.weights] = trained
        return self._nets[found.weights]


def freeze_result(model: nn.Module) -> FrozenModel:
    """What a method has made of the net it was handed, ready to be asked. Raises Diverged where that is no net."""
    broken = weights.non_finite_parameters(model)
    if broken:
        raise DivergedError(f"Weights of the net are no longer numbers ({broken[0]} is the first). {DIVERGED_ADVICE}")
    return FrozenModel("after", weights.checksum(model), model.eval().requires_grad_(False))


def trainable_copy(model: nn.Module) -> nn.Module:
    """A net that may be changed, equal to one that may not."""
    return deepcopy(model).requires_grad_(True)
