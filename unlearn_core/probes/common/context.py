"""The input of every probe: the data, the models, and their outputs on the data."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.split import Split


class ProbeContext(NamedTuple):
    """The models and data of a finished run.

    `images` (N, H, W, 3) uint8 are on the device; `labels` (N,) int64, `split` and the logits follow the data set's
    order. `evaluations` has before, after, gold and twin (a second gold) as far as they exist, where after may not be
    evaluated on retained training images yet if the probe does not need these; `models` has these and
    "other" (the original's recipe from another seed), in eval mode. A probe never changes a model or adds hooks to it:
    it makes a copy first.
    """

    spec: UnlearnSpec
    classifier: ClassifierCard
    dataset: DatasetCard
    images: torch.Tensor
    labels: np.ndarray
    split: Split
    evaluations: Mapping[str, Evaluation]
    models: Mapping[str, nn.Module]
    forgotten_classes: tuple[int, ...]
    """Empty where single images were forgotten."""
    further_golds: FurtherGolds | None = None
    """Outputs of more golds, which have no evaluations."""
    true_labels: np.ndarray | None = None
    """The true labels (N,) int64 where some training labels are known to be wrong."""

    def logits(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return each model's logits (rows, C) on some images: twin's may exist without its weights."""
        found = {model: own.logits[rows] for model, own in self.evaluations.items()}
        if "twin" not in found and self.further_golds is not None and self.further_golds.covers(rows):
            found["twin"] = self.further_golds.on(rows)[0]
        return found
