"""The normalisation that a checkpoint itself names is read where it can be that of pixels."""

import pytest
import torch

from unlearn_core.models.matching.normalizing_layer import find_normalizing_layer

MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]


@pytest.mark.parametrize("shape", [(3,), (3, 1, 1), (1, 3, 1, 1)])
@pytest.mark.parametrize(("mean", "std"), [("0.mean", "0.std"), ("mu", "sigma"), ("normalize._mean", "normalize._std")])
@pytest.mark.parametrize("scale", [1, 255])
def test_it_is_read_in_every_shape_and_scale(shape: tuple[int, ...], mean: str, std: str, scale: int) -> None:
    tensors = {
        mean: torch.tensor(MEAN).view(shape) * scale,
        std: torch.tensor(STD).view(shape) * scale,
        "conv1.weight": torch.zeros(8, 3, 3, 3),
    }
    found = find_normalizing_layer(tensors)
    assert found is not None and found.tensors == (mean, std)
    assert found.mean == pytest.approx(MEAN, abs=1e-5) and found.std == pytest.approx(STD, abs=1e-5)


def test_one_number_stands_for_three_colours() -> None:
    found = find_normalizing_layer({"mean": torch.tensor(0.1307), "std": torch.tensor([0.3081])})
    assert found is not None and found.mean == (0.1307,) * 3 and found.std == (0.3081,) * 3


@pytest.mark.parametrize(
    "tensors",
    [
        {"mean": torch.tensor(MEAN)},
        {"a.mean": torch.tensor(MEAN), "b.std": torch.tensor(STD)},
        {"mean": torch.tensor(MEAN), "std": torch.zeros(3)},
        {"mean": -torch.tensor(MEAN), "std": torch.tensor(STD)},
        {"mean": torch.tensor(MEAN) * 1e6, "std": torch.tensor(STD) * 1e6},
        {"mean": torch.zeros(64), "std": torch.ones(64)},
        {"mean": torch.zeros(3, dtype=torch.int64), "std": torch.tensor(STD)},
        {},
    ],
)
def test_what_cannot_be_that_of_pixels_is_left_alone(tensors: dict[str, torch.Tensor]) -> None:
    assert find_normalizing_layer(tensors) is None
