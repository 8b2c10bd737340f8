"""What every probe looks at: the data, what the models answer on it, and the models themselves."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.split import Split


class ProbeContext(NamedTuple):
    """A run that has ended, laid out for the probes.

    `images` (N, H, W, 3) uint8 lie on the device; `labels` (N,) int64, `split` and the logits follow the data set's
    order. `evaluations` has before, after, gold and twin (a second gold) as far as they exist; `nets` has these and
    other, the original's recipe from another seed, in eval mode. A probe neither changes nor hooks a net: it copies it
    first.
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
    """Empty where single pictures were forgotten."""
