"""Evaluation takes large images in smaller batches, so that it needs no more memory than it does for small ones."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unlearn_core.training import evaluate
from unlearn_core.training.evaluate import BATCH_SIZE, images_per_batch
from unlearn_core.training.seeding import seeded


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


@pytest.mark.parametrize(("count", "needed"), [(7, 1), (20, 1), (45, 2), (50, 1)])
def test_the_first_images_come_first_in_batches_of_the_usual_sizes(
    count: int, needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "BATCH_SIZE", 10)
    wanted = np.array([0, 3, 6, count - 1])
    first, rest = evaluate.batches(count, 32, wanted)
    assert sorted(np.concatenate([*first, *rest]).tolist()) == list(range(count)), "every image once"
    assert sorted(map(len, [*first, *rest])) == sorted(len(own) for own in torch.arange(count).split(10))
    assert np.isin(wanted, np.concatenate(first)).all()
    assert len(first) == needed


def test_the_order_of_batches_changes_no_bit() -> None:
    with seeded(0, "probes"):
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 36, 5)).eval()
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1_030, 8, 8, 3), np.uint8))
    whole = evaluate.logits(model, images)
    first, rest = evaluate.batches(len(images), 8, np.arange(0, 1_030, 7))
    assert len(first) == 2 and len(rest) == 1
    for batch in (*first, *rest):
        assert np.array_equal(evaluate.logits(model, images[torch.from_numpy(batch)]), whole[batch])
