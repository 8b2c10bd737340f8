"""Made-up outputs of models of random halves, for the tiny data set."""

from pathlib import Path

import numpy as np

from unlearn_core.data import datasets, half_models, user_catalog
from unlearn_core.data.half_models import HalfModels, half_members

DATASET, NUM_MODELS = "shapes", 8
EASY, MEMORISED = 0, 1
"""What images are, by the remainder of their number divided by 3; the others are in between."""


def store(data_dir: Path) -> Path:
    """Store outputs in this data folder: images 0, 3, 6 ... are easy, 1, 4, 7 ... are memorised; return the file."""
    data = datasets.load(DATASET)
    members = half_members(data.train, NUM_MODELS)
    kind = np.arange(data.train) % 3
    correct = np.where(kind == EASY, True, members)
    correct[:2, kind == 2] = ~members[:2, kind == 2]
    user_catalog.set_data_dir(data_dir)
    file = half_models.own_file(DATASET)
    assert file is not None
    outputs = HalfModels(np.where(correct, 4, -4).astype(np.float32), correct, "{}")
    half_models.write(file, outputs, data.labels[: data.train])
    return file
