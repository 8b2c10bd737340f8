"""Images that people upload for one question: hostile until they are decoded, and gone when they are removed."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unlearn_core.data import sandbox
from unlearn_core.data.ingest import own_image
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.settings import UploadLimits

LIMITS = UploadLimits()


def photograph(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> io.BytesIO:
    """A wide image: red at its sides, green in the middle."""
    width, height = size
    image = Image.new("RGB", size, (255, 0, 0))
    image.paste((0, 255, 0), ((width - height) // 2, 0, (width + height) // 2, height))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    buffer.seek(0)
    return buffer


def test_the_middle_is_stored_as_pixels_and_nothing_else(tmp_path: Path) -> None:
    name = own_image.save(tmp_path, photograph(), size=8, limits=LIMITS)
    found = own_image.read(tmp_path, name, size=8)
    assert found.shape == (8, 8, 3) and found.dtype == np.uint8
    assert (found[:, 2:6] == (0, 255, 0)).all(), "the middle"
    assert [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()] == [8 * 8 * 3], "the file is gone"
    with pytest.raises(InvalidRequestError, match="no longer stored"):
        own_image.read(tmp_path, name, size=16)
    own_image.delete(tmp_path, name)
    own_image.delete(tmp_path, name)
    with pytest.raises(InvalidRequestError, match="no longer stored"):
        own_image.read(tmp_path, name, size=8)


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (b"<svg onload=alert(1)>", LIMITS, r"This file is not a PNG, JPEG.*whatever its name says"),
        (photograph().getvalue()[:90], LIMITS, r"This file is damaged"),
        (photograph(size=(60, 40)).getvalue(), UploadLimits(most_pixels=100), "60 × 40 pixels large"),
    ],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(
    data: bytes, limits: UploadLimits, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        own_image.save(tmp_path, io.BytesIO(data), size=8, limits=limits)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_those_of_all_visitors_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = UploadLimits(most_uploads_mb=1)
    own_image.save(tmp_path, photograph(), size=8, limits=few)
    with (tmp_path / "own-images" / "another").open("wb") as other:
        other.truncate(1_000_000)
    with pytest.raises(InvalidRequestError, match=r"of all visitors take 1 MB, and the limit is 1 MB\..*UPLOADS_MB"):
        own_image.save(tmp_path, photograph(), size=8, limits=few)
    monkeypatch.setattr(own_image, "MAX_AGE", -1.0)
    own_image.save(tmp_path, photograph(), size=8, limits=few)


def test_a_large_file_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *given: pytest.fail("it is decoded"))
    monkeypatch.setattr(own_image, "MOST_MB", 1)
    with pytest.raises(InvalidRequestError, match="larger than 1 MB"):
        own_image.save(tmp_path, io.BytesIO(bytes(1_100_000)), size=8, limits=LIMITS)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (sandbox.SandboxError("time"), "longer than 10 s"),
        (sandbox.SandboxError("memory"), "more memory than allowed"),
        (sandbox.SandboxError("crash", "signal 11: no output"), r"died \(signal 11: no output\)"),
    ],
)
def test_how_the_decoder_ended_is_said(
    problem: sandbox.SandboxError, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_given: object) -> None:
        raise problem

    monkeypatch.setattr(sandbox, "run", end)
    with pytest.raises(InvalidRequestError, match=f"{words}.*Save it again as PNG or JPEG"):
        own_image.save(tmp_path, photograph(), size=8, limits=LIMITS)


def test_pixels_of_another_size_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *given: {"pixels": "AAAA"})
    with pytest.raises(InvalidRequestError, match="another size than 8 pixels"):
        own_image.save(tmp_path, photograph(), size=8, limits=LIMITS)


def test_an_image_is_removed_by_the_next_upload_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *given: {"pixels": "AAAA"})
    old, new = tmp_path / "own-images" / "0", tmp_path / "own-images" / "1"
    old.parent.mkdir()
    for path in (old, new):
        path.write_bytes(bytes(3))
    os.utime(old, (0, 0))
    own_image.save(tmp_path, photograph(), size=1, limits=LIMITS)
    assert not old.exists() and new.exists()
