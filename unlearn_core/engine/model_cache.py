"""The cache of a device between runs: data sets and trained models."""

from collections.abc import Callable
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
from unlearn_core.installation import HOW_TO_RESTORE
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.probes.common import class_activation, logistic_attack
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.training import evaluate, folding, weights
from unlearn_core.training.memory import keep_freed_memory
from unlearn_core.training.seeding import seeded
from unlearn_core.training.streaming import to_device_or_stream

DIVERGED_ADVICE = "Lower the learning rate, or another hyperparameter that makes the method strong, and run it again."


class DeviceDataset(NamedTuple):
    """A data set on the device: images (N, H, W, 3) uint8, streamed if they do not fit, and labels (N,) int64."""

    card: DatasetCard
    image_dataset: ImageDataset
    images: Tensor
    labels: Tensor


class FrozenModel(NamedTuple):
    """A trained model in eval mode, with its checksum; it must not be changed: copy it first."""

    name: str
    weights: str
    module: nn.Module


class ModelCache:
    """A device with its data sets and models, and the data folder that belongs to it."""

    def __init__(self, device: str, data_dir: Path) -> None:
        self.device, self.data_dir = torch.device(device), data_dir
        user_catalog.set_data_dir(data_dir)
        if self.device.type == "cpu":
            keep_freed_memory()
        self._data: dict[str, DeviceDataset] = {}
        self._models: dict[str, FrozenModel] = {}
        self._evaluated: dict[str, nn.Module] = {}

    def prepare(self) -> None:
        """Load in advance what a run would wait for: late imports of probes, every original model, and its data."""
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
        """Return a data set, loaded once. Raises NotFoundError or CorruptAssetError."""
        if name not in self._data:
            loaded = datasets.load(name)
            images = to_device_or_stream(torch.from_numpy(loaded.images), self.device)
            labels = torch.from_numpy(loaded.labels).to(self.device)
            self._data[name] = DeviceDataset(datasets.card(name), loaded, images, labels)
        return self._data[name]

    def dataset_card(self, name: str) -> DatasetCard:
        """Return the card of a data set of the catalog, or of one that was added. Raises NotFoundError."""
        return self._data[name].card if name in self._data else datasets.card(name)

    def add_dataset(self, card: DatasetCard, loaded: ImageDataset) -> DeviceDataset:
        """Make a data set known that is in no catalog, in place of an earlier one of its id, and return it."""
        images, labels = (torch.from_numpy(part).to(self.device) for part in (loaded.images, loaded.labels))
        self._data[card.id] = DeviceDataset(card, loaded, images, labels)
        return self._data[card.id]

    def new_model(self, card: ClassifierCard, seed: int, *purpose: str | int) -> nn.Module:
        """Return an untrained model on the device, its weights drawn from a seed; each purpose has its own stream."""
        with seeded(seed, "init", *purpose):
            model = classifiers.build(card, self.dataset_card(card.dataset))
        return model.to(self.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def load_model(self, card: ClassifierCard, name: str, data: bytes) -> FrozenModel:
        """Return a model with stored weights."""
        model = self.new_model(card, 0)
        weights.from_bytes(model, data)
        return FrozenModel(name, weights.checksum(model), model.eval().requires_grad_(False))

    def original(self, card: ClassifierCard, *, other_seed: bool = False) -> FrozenModel | None:
        """Return the classifier as it ships, or the one trained from the next seed, if there is one."""
        return self._bundled(card, None, card.seed + other_seed)

    def gold(self, card: ClassifierCard, request: ForgetRequest, seed: int) -> FrozenModel | None:
        """Return the gold of a request: a bundled one, or one trained here; None if there is none yet."""
        bundled = self._bundled(card, request.forget, bundled_models.GOLD_SEED_OFFSET + seed)
        if bundled is not None:
            return bundled
        found = self.golds.find(request, seed)
        return None if found is None else self.load_model(card, found.name, found.data)

    def evaluation(self, model: FrozenModel, card: ClassifierCard) -> Evaluation:
        """Return the outputs of a model on its whole data set, computed once and stored.

        Raises DivergedError if an output is not finite.
        """
        known = self.evaluations.get(model.weights, card.dataset, card.id)
        if known is None:
            logits = folding.logits(model.module, self.dataset(card.dataset).images)
            _require_finite(logits)
            known = Evaluation(model.weights, card.dataset, logits)
            self.evaluations.put(known)
        return known

    def begin_evaluation(
        self, model: FrozenModel, card: ClassifierCard, *, first: np.ndarray, check: Callable[[], None]
    ) -> Evaluation:
        """Return the outputs of a model on the images (n,) in `first` at least, or on all if these are known.

        `check` is called before every batch and may raise. Raises DivergedError if an output is not finite.
        """
        known = self.evaluations.get(model.weights, card.dataset, card.id)
        if known is not None:
            return known
        images = self.dataset(card.dataset).images
        batches, _ = evaluate.batches(len(images), images.shape[1], first)
        nothing = Evaluation(model.weights, card.dataset, np.zeros((0, 0), np.float32), np.zeros(len(images), bool))
        return self._evaluate(nothing, model, batches, check)

    def finish_evaluation(
        self,
        begun: Evaluation,
        model: FrozenModel,
        card: ClassifierCard,
        *,
        rows: np.ndarray | None = None,
        check: Callable[[], None],
    ) -> Evaluation:
        """Return the outputs on these images too, or on all, evaluating what is missing; whole ones are stored."""
        if begun.evaluated is None:
            return begun
        images = self.dataset(card.dataset).images
        _, rest = evaluate.batches(len(images), images.shape[1], np.flatnonzero(begun.evaluated))
        if rows is not None:
            rest = [batch for batch in rest if np.isin(batch, rows).any()]
        return self._evaluate(begun._replace(logits=begun.logits.copy()), model, rest, check)

    def _evaluate(
        self, begun: Evaluation, model: FrozenModel, batches: list[np.ndarray], check: Callable[[], None]
    ) -> Evaluation:
        assert begun.evaluated is not None
        images, logits, evaluated = self.dataset(begun.dataset).images, begun.logits, begun.evaluated.copy()
        folded = self._folded(model, images)
        for batch in batches:
            check()
            outputs = evaluate.logits(folded, images[torch.from_numpy(batch).to(self.device)])
            _require_finite(outputs)
            if not evaluated.any():
                logits = np.full((len(images), outputs.shape[1]), np.nan, np.float32)
            logits[batch], evaluated[batch] = outputs, True
        if not evaluated.all():
            return begun._replace(logits=logits, evaluated=evaluated)
        whole = Evaluation(begun.weights, begun.dataset, logits)
        self._evaluated.clear()
        self.evaluations.put(whole)
        return whole

    def _folded(self, model: FrozenModel, images: Tensor) -> nn.Module:
        """Return the model for evaluation; it is kept until it is evaluated whole, which a run does part by part."""
        if model.weights not in self._evaluated:
            self._evaluated = {model.weights: folding.folded(model.module, images)}
        return self._evaluated[model.weights]

    def _bundled(self, card: ClassifierCard, forget: Forget | None, seed: int) -> FrozenModel | None:
        found = bundled_models.find_bundled(card.id, forget, seed)
        if found is None:
            return None
        if found.weights not in self._models:
            trained = self.load_model(card, found.name, bundled_models.read_weights(found))
            if trained.weights != found.weights:
                raise CorruptAssetError(f"The weights of {found.name} are damaged. Restore them: {HOW_TO_RESTORE}.")
            self._models[found.weights] = trained
        return self._models[found.weights]


def _require_finite(logits: np.ndarray) -> None:
    lost = int((~np.isfinite(logits)).any(1).sum())
    if lost:
        raise DivergedError(f"The model's outputs are not finite for {lost:,} images. {DIVERGED_ADVICE}")


def freeze_result(model: nn.Module) -> FrozenModel:
    """Return the model that a method produced, ready to evaluate. Raises DivergedError if weights are not finite."""
    broken = weights.non_finite_parameters(model)
    if broken:
        raise DivergedError(f"Weights of the model are not finite ({broken[0]} is the first). {DIVERGED_ADVICE}")
    return FrozenModel("after", weights.checksum(model), model.eval().requires_grad_(False))


def trainable_copy(model: nn.Module) -> nn.Module:
    """Return a copy of a model that may be changed."""
    return deepcopy(model).requires_grad_(True)
