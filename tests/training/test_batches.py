"""Images reach the model whole, in range, and the same for the same seed."""

import torch
from torch.nn import functional as F

from unlearn_core.training.batches import MAX_SHIFT, crop_and_flip, epoch_batches, steps_in_epoch, to_floats
from unlearn_core.training.seeding import random_generator, seeded

IMAGES = torch.randint(0, 256, (50, 16, 16, 3), dtype=torch.uint8, generator=random_generator(0, "pictures"))
LABELS = torch.arange(50)


def test_floats_are_between_0_and_1_and_channels_come_first() -> None:
    floats = to_floats(IMAGES)
    assert floats.shape == (50, 3, 16, 16) and floats.dtype == torch.float32
    assert floats.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(floats[3, 2], IMAGES[3, :, :, 2].float() / 255)


def test_a_crop_is_a_window_of_the_reflected_image() -> None:
    padded = F.pad(to_floats(IMAGES), (MAX_SHIFT,) * 4, mode="reflect")
    out = to_floats(crop_and_flip(IMAGES, LABELS, random_generator(1, "crop")))
    flipped = 0
    for row, picture in enumerate(out):
        windows = padded[row].unfold(1, 16, 1).unfold(2, 16, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 16, 16)
        plain = (windows == picture).flatten(1).all(1).any()
        mirrored = (windows == picture.flip(2)).flatten(1).all(1).any()
        assert plain or mirrored
        flipped += int(mirrored and not plain)
    assert 10 < flipped < 40


def test_an_epoch_shows_every_chosen_image_once() -> None:
    rows = torch.arange(0, 50, 2)
    batches = list(epoch_batches(IMAGES, LABELS, rows, batch_size=8, generator=random_generator(0, "e"), augment=False))
    assert len(batches) == steps_in_epoch(25, 8) == 4
    assert sorted(torch.cat([labels for _, labels in batches]).tolist()) == rows.tolist()
    for pictures, labels in batches:
        assert torch.equal(pictures, to_floats(IMAGES[labels]))


def test_a_short_last_batch_can_be_left_out_but_never_the_only_one() -> None:
    rows = torch.arange(25)
    kept = list(
        epoch_batches(
            IMAGES, LABELS, rows, batch_size=8, generator=random_generator(0, "e"), augment=False, drop_last=True
        )
    )
    assert [len(labels) for _, labels in kept] == [8, 8, 8] and steps_in_epoch(25, 8, drop_last=True) == 3
    only = list(
        epoch_batches(
            IMAGES, LABELS, rows, batch_size=64, generator=random_generator(0, "e"), augment=False, drop_last=True
        )
    )
    assert len(only) == 1 == steps_in_epoch(25, 64, drop_last=True)


def test_streams_repeat_and_differ_by_purpose() -> None:
    draw = [torch.rand(3, generator=random_generator(*name)) for name in ((0, "a"), (0, "a"), (0, "b"), (1, "a"))]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2]) and not torch.equal(draw[0], draw[3])


def test_a_seeded_block_leaves_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    with seeded(3, "init"):
        first = torch.rand(2)
    assert torch.equal(before, torch.get_rng_state())
    with seeded(3, "init"):
        assert torch.equal(first, torch.rand(2))
