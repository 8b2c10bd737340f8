"""Images on pages: small ones are enlarged, large ones reduced, so that a page of them stays light."""

import io

import numpy as np
import pytest
from PIL import Image

from unlearn_core.ui.shell import thumbnails


@pytest.mark.parametrize(
    ("side", "wanted", "shown"),
    [(8, 96, 96), (32, 96, 96), (32, 128, 128), (64, 128, 128), (96, 128, 96), (96, 96, 96), (224, 96, 96)],
)
def test_a_sheet_has_tiles_of_about_the_wanted_size(side: int, wanted: int, shown: int) -> None:
    images = np.full((5, side, side, 3), 200, np.uint8)
    sheet = Image.open(io.BytesIO(thumbnails.images_png(images, columns=3, wanted=wanted)))
    assert sheet.size == (3 * shown, 2 * shown)
    pixels = np.asarray(sheet)
    assert (pixels[shown:, : 2 * shown] == 200).all(), "the second row is filled"
    assert not pixels[shown:, 2 * shown :].any()


def test_large_photographs_weigh_no_more_than_small_ones() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 224, 224, 3), np.uint8)
    sheet = thumbnails.images_png(noise, columns=10, wanted=96)
    assert len(sheet) < 10 * 96 * 96 * 3
