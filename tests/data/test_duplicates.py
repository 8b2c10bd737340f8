"""Copies are found whatever was done to them, other images are not taken for copies, and the record is kept."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data import sparse_dataset
from tests.data.zips import encoded, write
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.duplicates import NO_GROUP, Duplicates, find_duplicates
from unlearn_core.data.duplicates.record import RECORD_FILE, dataset_duplicates, recorded_duplicates
from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.import_spec import build_import_spec
from unlearn_core.data.sources import source
from unlearn_core.domain.errors import CancelledError
from unlearn_core.engine.jobs.import_dataset import import_dataset
from unlearn_core.engine.listener import NullListener
from unlearn_core.settings import settings

SAMPLE = datasets.card("cifar10-sample")


@pytest.fixture
def mine(home: Path) -> Iterator[Path]:
    user_catalog.set_data_dir(home)
    yield home
    user_catalog.set_data_dir(None)


def jpeg(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded(Image.fromarray(image), "JPEG", quality=75))))


def mirrored(image: np.ndarray) -> np.ndarray:
    return image[:, ::-1]


def shifted(image: np.ndarray) -> np.ndarray:
    """Two pixels down and to the right, with a black border."""
    return np.pad(image, ((2, 0), (2, 0), (0, 0)))[:-2, :-2]


def brighter(image: np.ndarray) -> np.ndarray:
    return np.minimum(image * 1.05, 255).astype(np.uint8)


def all_of_it(image: np.ndarray) -> np.ndarray:
    return brighter(shifted(mirrored(jpeg(image))))


def test_copies_in_the_sample_and_nothing_else() -> None:
    """Of 500 copies 95 % are found, and what is found without them is what the bundled record says."""
    data = datasets.load(SAMPLE.id)
    own = np.random.default_rng(1).choice(SAMPLE.train, 500, replace=False)
    ways: tuple[Callable[[np.ndarray], np.ndarray], ...] = (jpeg, mirrored, shifted, brighter, all_of_it)
    copies = np.stack([ways[place % len(ways)](data.images[number]) for place, number in enumerate(own)])
    found = find_duplicates(np.concatenate([data.images, copies]))
    groups = found.near[len(data.images) :]
    right = (groups == found.near[own]) & (groups != NO_GROUP)
    for place, way in enumerate(ways):
        assert right[place :: len(ways)].mean() >= 0.95, way.__name__
    bundled = recorded_duplicates(SAMPLE)
    assert bundled is not None, "`make bundle` makes the record"
    assert sum(len(group) - 1 for group in bundled.groups()) <= 0.005 * SAMPLE.train
    apart = found.near[: len(data.images)]
    again = [group for group in (np.flatnonzero(apart == number) for number in np.unique(apart)[1:]) if len(group) > 1]
    assert [group.tolist() for group in again] == [group.tolist() for group in bundled.groups()]
    assert {84, 8357} in [set(group) for group in bundled.groups()], "two prints of one horse"


def test_equal_pixels_are_copies_in_images_of_any_content() -> None:
    flat = np.zeros((6, 16, 16, 3), np.uint8)
    flat[2:4] = 90
    flat[4] = np.random.default_rng(0).integers(0, 256, (16, 16, 3))
    flat[5] = 255 - flat[4]
    found = find_duplicates(flat)
    assert found.identical.tolist() == [0, 0, 1, 1, NO_GROUP, NO_GROUP]
    assert found.near.tolist() == found.identical.tolist(), "one colour is not a copy of another"
    assert find_duplicates(flat[4:]).groups() == []
    assert find_duplicates(flat[:1]).groups() == []
    assert [group.tolist() for group in find_duplicates(flat[:, :4, :4]).groups()] == [[0, 1], [2, 3]]


def test_larger_images_are_compared_at_a_smaller_size() -> None:
    images = datasets.load(SAMPLE.id).images[:20].repeat(3, axis=1).repeat(3, axis=2)
    found = find_duplicates(np.concatenate([images, [all_of_it(one) for one in images[:5]]]))
    assert found.near[20:].tolist() == found.near[:5].tolist() == [0, 1, 2, 3, 4]
    assert (found.identical == NO_GROUP).all()


def test_many_copies_of_one_image_are_one_group() -> None:
    rng, others = np.random.default_rng(3), datasets.load(SAMPLE.id).images[:200]
    noise = rng.normal(0, 3, (60, *others.shape[1:]))
    copies = np.clip(others[7] + noise, 0, 255).astype(np.uint8)
    found = find_duplicates(np.concatenate([others, copies]))
    assert len(set(found.near[[7, *range(200, 260)]].tolist())) == 1
    assert sum(len(group) > 10 for group in found.groups()) == 1


def test_copies_of_a_set_of_images() -> None:
    found = Duplicates(np.full(6, NO_GROUP), np.array([0, 1, NO_GROUP, 0, 1, 0]))
    assert found.copies_of(np.array([0, 2])).tolist() == [3, 5]
    assert found.copies_of(np.array([0, 3, 5])).tolist() == []
    assert [group.tolist() for group in found.groups()] == [[0, 3, 5], [1, 4]]


def test_an_import_records_the_copies(mine: Path, tmp_path: Path) -> None:
    image = Image.fromarray(datasets.load(SAMPLE.id).images[84])
    noise = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)
    files = {f"x/{number}.png": encoded(Image.fromarray(own), "PNG") for number, own in enumerate(noise[:5])}
    files |= {f"y/{number}.png": encoded(Image.fromarray(own), "PNG") for number, own in enumerate(noise[5:])}
    files |= {"x/5.png": encoded(image, "PNG"), "y/5.jpg": encoded(image, "JPEG", quality=75)}
    with write(tmp_path / "some.zip", files).open("rb") as file:
        upload = upload_store.save(mine, file, settings())
    spec = build_import_spec(source("zip"), {"upload": upload}, title="Some", size=32)
    import_dataset(spec, mine, NullListener())
    found = recorded_duplicates(datasets.card(spec.dataset))
    assert found is not None
    assert [len(group) for group in found.groups()] == [2]
    assert (found.identical == NO_GROUP).all()


def test_a_lost_or_damaged_record_is_made_again(mine: Path) -> None:
    sparse_dataset.bring(mine, sparse_dataset.FULL)
    card = datasets.card(sparse_dataset.NAME)
    record = mine / "datasets" / card.id / RECORD_FILE
    assert recorded_duplicates(card) is None
    made = dataset_duplicates(card)
    for damaged in (b"", b"PK", record.read_bytes()[:-30], _record_of(3)):
        record.write_bytes(damaged)
        assert recorded_duplicates(card) is None
        assert dataset_duplicates(card).near.tolist() == made.near.tolist()
        assert recorded_duplicates(card) is not None


def test_points_have_no_copies_and_sets_of_plugins_are_searched() -> None:
    points = dataset_duplicates(datasets.card("moons"))
    assert len(points.near) == len(datasets.load("moons").labels) and not points.groups()
    shapes = datasets.card("shapes")
    assert recorded_duplicates(shapes) is None
    assert dataset_duplicates(shapes) is dataset_duplicates(shapes)


def test_a_search_can_be_cancelled() -> None:
    def stop(done: int, total: int) -> None:
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        find_duplicates(np.zeros((2, 8, 8, 3), np.uint8), stop)


def _record_of(count: int) -> bytes:
    """An intact record of another number of images."""
    file = io.BytesIO()
    np.savez_compressed(file, identical=np.zeros(count, np.int32), near=np.zeros(count, np.int32))
    return file.getvalue()
