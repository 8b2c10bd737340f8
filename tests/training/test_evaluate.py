"""Evaluation takes large images in smaller batches, so that it needs no more memory than it does for small ones."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unlearn_core.training import evaluate
from unlearn_core.training.evaluate import BATCH_SIZE, images_per_batch


class MeanColour(nn.Module):
    """Returns the mean of each channel, and remembers the sizes of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(len(images))
        return images.mean((2, 3))


@pytest.mark.parametrize(("side", "count"), [(1, BATCH_SIZE), (32, BATCH_SIZE), (64, BATCH_SIZE), (96, 222), (224, 40)])
def test_larger_images_come_in_smaller_batches(side: int, count: int) -> None:
    assert images_per_batch(side) == count


def test_an_image_of_any_size_fits() -> None:
    assert images_per_batch(100_000) == 1


def test_all_large_images_are_evaluated_in_order() -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (90, 224, 224, 3), np.uint8))
    model = MeanColour()
    logits = evaluate.logits(model, images)
    assert model.seen == [40, 40, 10]
    assert np.allclose(logits, images.float().mean((1, 2)).numpy() / 255, atol=1e-4)
    floats = images.permute(0, 3, 1, 2) / 255
    assert evaluate.predict(model, floats).tolist() == logits.argmax(1).tolist()
    assert max(model.seen) == 40
