"""Streamed images give what images on the device give, to everything that takes them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.engine import model_cache as warming
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import ModelCache, unlearn
from unlearn_core.training import streaming
from unlearn_core.training.batches import crop_and_flip, epoch_batches
from unlearn_core.training.streaming import StreamedImages, to_device_or_stream

IMAGES = torch.randint(0, 256, (70, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(70) % 7


def stream(device: str = "cpu") -> StreamedImages:
    return StreamedImages(IMAGES, torch.device(device))


def test_rows_slices_and_parts_are_the_same() -> None:
    one, rows = stream(), torch.tensor([5, 2, 2, 69])
    assert one.shape == IMAGES.shape and one.device == IMAGES.device and len(one) == 70 and one.dtype == torch.uint8
    for key in (rows, slice(3, 9), 7, LABELS == 3):
        assert torch.equal(one[key], IMAGES[key]) and type(one[key]) is torch.Tensor
    assert torch.equal(torch.cat(list(one.split(16))), IMAGES)


def test_augmented_batches_are_the_same() -> None:
    rows = torch.tensor([5, 2, 2, 69])
    made = [crop_and_flip(images, rows, torch.Generator().manual_seed(1)) for images in (IMAGES, stream())]
    assert torch.equal(*made)
    passes = [
        list(
            epoch_batches(
                images,
                LABELS,
                torch.arange(70),
                batch_size=16,
                generator=torch.Generator().manual_seed(2),
                augment=True,
            )
        )
        for images in (IMAGES, stream())
    ]
    assert all(torch.equal(a, b) for left, right in zip(*passes, strict=True) for a, b in zip(left, right, strict=True))


def test_what_needs_all_at_once_is_said() -> None:
    with pytest.raises(TypeError, match="select rows first"):
        stream().float()


def test_a_whole_run_is_the_same_when_streamed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = run_spec("tiny", method="finetune", images=[1, 2, 3], overrides={"epochs": 1})
    weights = []
    for place in (to_device_or_stream, lambda host, device: StreamedImages(host, device)):
        monkeypatch.setattr(warming, "to_device_or_stream", place)
        assert isinstance(ModelCache("cpu", home).dataset("shapes").images, StreamedImages) == (
            place is not to_device_or_stream
        )
        weights.append(unlearn(wish, device="cpu", data_dir=home).metrics.weights)
    assert weights[0] == weights[1]


def test_images_mapped_from_a_file_are_taken_without_copying(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES.numpy())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c", allow_pickle=False)
    host = torch.from_numpy(mapped)
    assert to_device_or_stream(host, torch.device("cpu")).data_ptr() == mapped.ctypes.data


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_what_does_not_fit_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda")
    assert type(to_device_or_stream(IMAGES, device)) is torch.Tensor
    monkeypatch.setattr(streaming, "MAX_MEMORY_SHARE", 0.0)
    one, rows = to_device_or_stream(IMAGES, device), torch.tensor([5, 2, 69], device=device)
    assert isinstance(one, StreamedImages) and one.device.type == "cuda"
    assert torch.equal(one[rows].cpu(), IMAGES[rows.cpu()])
    made = [crop_and_flip(images, rows, torch.Generator().manual_seed(1)) for images in (one, IMAGES.to(device))]
    assert torch.equal(*made)
    assert torch.equal(torch.cat(list(one.split(16))).cpu(), IMAGES)
