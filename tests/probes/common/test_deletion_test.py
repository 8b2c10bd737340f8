"""The deletion test on models that look at one known place."""

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.probes.common.deletion_test import AREA, FEW_PLACES, PLACES, deletion_test, marked

SIDE = 16


class Corner(nn.Module):
    """Says class 1 as far as the upper left quarter is red, else class 0."""

    def forward(self, images: Tensor) -> Tensor:
        half = images.shape[-1] // 2
        red = images[:, 0, : half // 2, : half // 2].mean((1, 2))
        return torch.stack([torch.zeros_like(red), 10 * red - 5], 1)


def image(side: int = SIDE) -> Tensor:
    """Black, with a red corner."""
    made = torch.zeros(side, side, 3, dtype=torch.uint8)
    made[: side // 4, : side // 4, 0] = 255
    return made


def heatmap(row: int, column: int) -> np.ndarray:
    """A map of 4 x 4 cells that marks one of them."""
    made = np.zeros((4, 4), np.float32)
    made[row, column] = 2.0
    return made


def test_covering_what_the_model_uses_changes_its_answer_and_random_places_do_not() -> None:
    test = deletion_test(Corner(), image(), heatmap(0, 0), 1)
    assert test is not None
    assert test.uncovered > 0.99 and test.covered < 0.1 and test.predicted == 0
    assert test.random > 0.7 and test.places == PLACES
    assert test.as_low <= 1, "hardly any other place of that shape covers the whole corner"
    assert 0 < test.area <= AREA


def test_a_map_of_another_place_is_found_out() -> None:
    test = deletion_test(Corner(), image(), heatmap(3, 3), 1)
    assert test is not None
    assert test.covered == test.uncovered and test.predicted == 1
    assert test.random < test.covered and test.as_low == PLACES


def test_the_patch_has_the_mean_colour_of_the_image() -> None:
    class Watched(Corner):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images)
            return super().forward(images)

    seen: list[Tensor] = []
    deletion_test(Watched(), image(), heatmap(0, 0), 1)
    whole, covered, *elsewhere = seen[0]
    mask = marked(heatmap(0, 0), SIDE)
    assert torch.equal(whole * 255, image().permute(2, 0, 1).float())
    assert (covered[0][mask] * 255).unique().tolist() == [round(255 / 16)]
    assert torch.equal(covered[:, ~mask], whole[:, ~mask])
    places = {tuple((one != whole).any(0).flatten().tolist()) for one in elsewhere}
    assert len(places) == PLACES and all(sum(place) for place in places)


def test_nothing_is_covered_where_nothing_is_marked() -> None:
    assert deletion_test(Corner(), image(), np.zeros((4, 4), np.float32), 1) is None
    assert deletion_test(Corner(), image(), np.ones((4, 4), np.float32), 1) is None, "a flat map marks no place"


def test_only_the_strongest_fifth_is_marked() -> None:
    ramp = np.arange(16, dtype=np.float32).reshape(4, 4)
    mask = marked(ramp, SIDE)
    assert 0.15 < float(mask.float().mean()) <= AREA and mask[-1, 3:].all() and not mask[: SIDE // 2].any()


def test_large_images_are_tested_at_fewer_places() -> None:
    test = deletion_test(Corner(), image(72), heatmap(0, 0), 1)
    assert test is not None and test.places == FEW_PLACES
