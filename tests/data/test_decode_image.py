"""Decoding images: every format and mode, phone cameras, and values of more than 8 bits."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.zips import MOST, deep_png, encoded, found, refusal, stored, write
from unlearn_core.data.ingest.decode_image import Fit, UndecodableImageError, decode


def pixels(data: bytes, *, size: int = 8, fit: Fit = "crop") -> np.ndarray:
    return decode(data, size=size, fit=fit, max_pixels=MOST.most_pixels).pixels


def plain(colour, mode: str = "RGB", size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


def test_every_mode_becomes_rgb() -> None:
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    deep = Image.fromarray(np.full((8, 8), 32_768, np.uint16))
    palette = plain((200, 100, 0)).quantize(4)
    clear = plain((200, 100, 0)).quantize(4)
    clear.info["transparency"] = clear.getpixel((0, 0))
    for image, kind, wanted in (
        (plain(90, "L"), "PNG", (90, 90, 90)),
        (plain(1, "1"), "PNG", (255, 255, 255)),
        (half, "PNG", (255, 255, 255)),
        (deep, "PNG", (127, 127, 127)),
        (palette, "GIF", (200, 100, 0)),
        (clear, "PNG", (255, 255, 255)),
        (plain((10, 20, 30)), "BMP", (10, 20, 30)),
        (plain((10, 20, 30)), "WEBP", (10, 20, 30)),
        (plain((0, 0, 0, 0), "CMYK"), "JPEG", (255, 255, 255)),
        (plain((10, 20, 30)), "TIFF", (10, 20, 30)),
        (plain((10, 20, 30)), "PPM", (10, 20, 30)),
        (plain(90, "L"), "PPM", (90, 90, 90)),
        (deep, "TIFF", (127, 127, 127)),
    ):
        found = pixels(encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
        assert found.shape == (8, 8, 3) and found.dtype == np.uint8
        assert np.abs(found.astype(int) - wanted).max() <= 2, (image.mode, kind, found[0, 0])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_is_taken(kind: str) -> None:
    buffer, how = io.BytesIO(), {"lossless": True} if kind == "WEBP" else {}
    plain((255, 0, 0)).save(buffer, kind, save_all=True, append_images=[plain((0, 0, 255))], **how)
    assert pixels(buffer.getvalue())[4, 4].tolist() == [255, 0, 0]


def test_the_first_page_is_taken() -> None:
    buffer = io.BytesIO()
    plain((255, 0, 0)).save(buffer, "TIFF", save_all=True, append_images=[plain((0, 0, 255))])
    assert pixels(buffer.getvalue())[4, 4].tolist() == [255, 0, 0]


def test_a_camera_that_was_held_upright() -> None:
    image = Image.fromarray(np.vstack([np.full((8, 16, 3), 255, np.uint8), np.zeros((8, 16, 3), np.uint8)]))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    found = pixels(encoded(image, "PNG", exif=exif))
    assert found[1].max() < 20 and found[-2].min() > 230


def test_pictures_that_are_not_square() -> None:
    wide = Image.fromarray(np.hstack([np.full((10, 10, 3), tone, np.uint8) for tone in (0, 200, 0)]))
    assert pixels(encoded(wide, "PNG"), size=10).min() == 200, "the middle"
    padded = pixels(encoded(wide, "PNG"), size=30, fit="pad")
    assert not padded[:9].any() and not padded[-9:].any() and padded[15, 15].min() > 190


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, 1_500),
    value=st.integers(0, 255),
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"]),
)
def test_a_flipped_byte_gives_a_picture_or_a_reason(place: int, value: int, kind: str) -> None:
    data = bytearray(encoded(Image.effect_noise((24, 24), 80).convert("RGB"), kind))
    data[place % len(data)] = value
    try:
        found = pixels(bytes(data))
    except UndecodableImageError:
        return
    assert found.shape == (8, 8, 3)


# Phone cameras.


def colours(image: Image.Image, kind: str, **how: object) -> dict[str, bytes]:
    data = encoded(image, kind, **how)
    return {f"{name}/{n}.jpg": data for name in ("red", "blue") for n in range(3)}


def test_a_photograph_of_48_megapixels_is_decoded_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is decoded costs memory: a hundredth of the photograph."""
    decoded = []
    load = Image.Image.convert
    monkeypatch.setattr(Image.Image, "convert", lambda self, *mode: decoded.append(self.size) or load(self, *mode))
    got = found(write(tmp_path / "z.zip", colours(Image.new("RGB", (8000, 6000), (200, 30, 40)), "JPEG")))
    assert got["left"] == 0
    images = stored(tmp_path / "z.zip")[0]
    assert np.abs(images.astype(int) - (200, 30, 40)).max() < 4
    assert decoded and max(decoded) == (1000, 750)


def test_a_photograph_with_a_second_picture_in_it(tmp_path: Path) -> None:
    """Many phones write a preview or a depth map behind the photograph (MPO)."""
    first = Image.new("RGB", (800, 600), (200, 30, 40))
    members = colours(first, "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60))])
    got = found(write(tmp_path / "z.zip", members))
    assert got["left"] == 0 and stored(tmp_path / "z.zip")[0][0, 8, 8, 0] > 190


@pytest.mark.parametrize(
    ("size", "kind", "how", "why", "setting"),
    [
        ((8000, 6000), "PNG", {}, "8,000 × 6,000 pixels large, and 25 million are allowed", "UNLEARN_MOST_PIXELS"),
        ((8000, 7000), "JPEG", {"progressive": True}, "and 50 million are allowed", "UNLEARN_MOST_PIXELS"),
        ((21_000, 300), "JPEG", {}, "21,000 × 300 pixels large, and 20,000 pixels a side are allowed", ""),
    ],
)
def test_a_refusal_names_the_limit_that_was_reached(
    tmp_path: Path, size: tuple[int, int], kind: str, how: dict, why: str, setting: str
) -> None:
    sentence = refusal(write(tmp_path / "z.zip", colours(Image.new("L", size), kind, **how)))
    assert why in sentence and "Make them smaller." in sentence
    assert [word for word in sentence.replace(".", " ").split() if word.startswith("UNLEARN_")] == [setting] * bool(
        setting
    )


# More than 8 bits.


def tones(scale: int, *, channels: int = 1) -> dict[str, bytes]:
    """Dark and bright images; those of scale 1 are 12 bits in files for 16."""
    rng = np.random.default_rng(0)
    shape = (16, 16) if channels == 1 else (16, 16, channels)
    return {
        f"{name}/{n}.png": deep_png(rng.integers(low * scale, (low + 100) * scale, shape))
        for name, low in (("dark", 500), ("bright", 3_500))
        for n in range(4)
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_12_bits_in_a_file_for_16_are_scaled_by_the_range_of_the_set(tmp_path: Path, channels: int) -> None:
    got = found(write(tmp_path / "z.zip", tones(1, channels=channels)))
    images, labels = stored(tmp_path / "z.zip")
    means = [images[labels == number].mean() for number in range(2)]
    assert got["classes"] == ("bright", "dark") and means[0] > 245 and means[1] < 10, "alike for all images"
    assert len(np.unique(images[labels == 1])) > 5, "the low bytes count"
    (note,) = got["notes"]
    assert note.startswith("8 images have more than 8 bits per channel: the values 500 to 3,599")
    assert note.endswith("became 0 to 255.")


def test_alpha_is_not_a_value_of_the_range(tmp_path: Path) -> None:
    pixels = np.full((16, 16, 4), 2_000)
    pixels[:8, :, :3], pixels[..., 3] = 1_000, 65_535
    members = {f"{name}/{n}.png": deep_png(pixels) for name in "ab" for n in range(3)}
    assert "the values 1,000 to 2,000," in found(write(tmp_path / "z.zip", members))["notes"][0]
    image = stored(tmp_path / "z.zip")[0][0]
    assert image[2, 8].tolist() == [0, 0, 0] and image[-2, 8].tolist() == [255, 255, 255]


def test_values_with_a_fraction_and_none_at_all(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)
    values[0, 1] = np.nan
    members = {f"{name}/{n}.tif": encoded(Image.fromarray(values), "TIFF") for name in "ab" for n in range(3)}
    assert (
        "the values -1 to 1,"
        in found(write(tmp_path / "z.zip", members | {"a/8.png": encoded(plain(9, "L"), "PNG")}))["notes"][0]
    )
    images = stored(tmp_path / "z.zip")[0]
    assert images.max() == 255 and 9 in images[:, 8, 8, 0], "images of 8 bits stay as they are"


def test_one_deep_image_is_said_and_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image = Image.fromarray(np.vstack([np.full((8, 16), 60_000, np.uint16), np.zeros((8, 16), np.uint16)]))
    members = {f"{name}/{n}.png": encoded(plain(9, "L"), "PNG") for name in "ab" for n in range(3)}
    got = found(write(tmp_path / "z.zip", members | {"a/0.png": encoded(image, "PNG", exif=exif)}))
    assert got["notes"][0].startswith("1 image has more than 8 bits")
    turned = next(one for one in stored(tmp_path / "z.zip")[0] if one.max() == 255)
    assert turned[1].max() < 20 and turned[-2].min() > 230
