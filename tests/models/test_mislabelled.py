"""The sample with wrong labels: the images of the sample, and a list of wrong labels that is drawn again the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.data import datasets
from unlearn_core.data.dataset_notes import dataset_notes
from unlearn_core.data.datasets import cifar10_sample, cifar10_sample_mislabelled
from unlearn_core.data.datasets.cifar10_sample_mislabelled import CARD, LABELS_FILE, PER_CLASS, SWAPPED
from unlearn_core.data.duplicates.record import recorded_duplicates
from unlearn_core.data.standard_requests import bundled_requests, corrective_requests
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.installation import ASSETS
from unlearn_core.models import bundled_models, classifiers

FOLDER = ASSETS / "datasets" / CARD.id


@pytest.fixture(scope="module")
def sample() -> datasets.ImageDataset:
    return datasets.load(cifar10_sample.CARD.id)


@pytest.fixture(scope="module")
def mislabelled() -> datasets.ImageDataset:
    return datasets.load(CARD.id)


def test_only_training_labels_of_two_classes_are_swapped(
    sample: datasets.ImageDataset, mislabelled: datasets.ImageDataset
) -> None:
    assert np.array_equal(sample.images, mislabelled.images)
    assert mislabelled.true_labels is not None and np.array_equal(mislabelled.true_labels, sample.labels)
    wrong = mislabelled.mislabelled
    assert len(wrong) == 2 * PER_CLASS and wrong.max() < CARD.train
    first, second = (CARD.classes.index(name) for name in SWAPPED)
    assert np.array_equal(mislabelled.labels[wrong], first + second - sample.labels[wrong])
    assert np.bincount(mislabelled.labels[: CARD.train]).tolist() == [1000] * 10, "each class is as large as before"
    assert sample.true_labels is None and not len(sample.mislabelled)


def test_its_list_is_drawn_again_the_same_and_no_image_ships_twice(sample: datasets.ImageDataset) -> None:
    patch = json.loads((FOLDER / LABELS_FILE).read_text())
    assert patch["wrong"] == cifar10_sample_mislabelled.draw(sample.labels)
    assert patch["data set"] == cifar10_sample.CARD.id
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 10_000
    ours, theirs = recorded_duplicates(CARD), recorded_duplicates(cifar10_sample.CARD)
    assert ours is not None and theirs is not None and np.array_equal(ours.near, theirs.near)


def test_building_it_writes_what_ships(tmp_path: Path) -> None:
    shutil.copytree(ASSETS / "datasets" / cifar10_sample.CARD.id, tmp_path / "datasets" / cifar10_sample.CARD.id)
    cifar10_sample_mislabelled.build(tmp_path)
    built = tmp_path / "datasets" / CARD.id
    assert {path.name: path.read_bytes() for path in built.iterdir()} == {
        path.name: path.read_bytes() for path in FOLDER.iterdir()
    }


@pytest.mark.parametrize(
    "damage", [None, "{", '{"wrong": {}}', '{"labels": "of another sample", "wrong": {"automobile": [], "truck": []}}']
)
def test_a_damaged_list_is_named(
    damage: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: datasets.ImageDataset
) -> None:
    monkeypatch.setattr(cifar10_sample, "load", lambda assets: sample)
    if damage is not None:
        (tmp_path / "datasets" / CARD.id).mkdir(parents=True)
        (tmp_path / "datasets" / CARD.id / LABELS_FILE).write_text(damage)
    with pytest.raises(CorruptAssetError, match=r"labels\.json is missing or damaged.*git checkout"):
        cifar10_sample_mislabelled.load(tmp_path)


def test_an_image_that_cannot_be_mislabelled_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: datasets.ImageDataset
) -> None:
    monkeypatch.setattr(cifar10_sample, "load", lambda assets: sample)
    patch = json.loads((FOLDER / LABELS_FILE).read_text())
    patch["wrong"]["truck"][0] = CARD.train
    (tmp_path / "datasets" / CARD.id).mkdir(parents=True)
    (tmp_path / "datasets" / CARD.id / LABELS_FILE).write_text(json.dumps(patch))
    with pytest.raises(CorruptAssetError, match=r"labels\.json"):
        cifar10_sample_mislabelled.load(tmp_path)


def test_golds_ship_for_all_wrong_labels_and_for_half(mislabelled: datasets.ImageDataset) -> None:
    card = classifiers.card("resnet8-mislabelled")
    requests = bundled_requests(card, CARD)
    every, half = requests["mislabelled"], requests["mislabelled-half"]
    assert isinstance(every, ForgetImages) and isinstance(half, ForgetImages)
    assert every.images == tuple(mislabelled.mislabelled.tolist())
    assert len(half.images) == PER_CLASS and set(half.images) < set(every.images)
    for forget in (None, every, half):
        seed = card.seed if forget is None else bundled_models.GOLD_SEED_OFFSET
        found = bundled_models.find_bundled(card.id, forget, seed)
        assert found is not None and bundled_models.read_weights(found) and not found.has_outputs
    assert corrective_requests(np.array([], int)) == {}


def test_the_notes_of_a_data_set_name_its_wrong_labels(mislabelled: datasets.ImageDataset) -> None:
    notes = dataset_notes(CARD, mislabelled.labels, None, num_mislabelled=len(mislabelled.mislabelled))
    assert notes == ["800 training images have a label that is known to be wrong."]
    assert dataset_notes(CARD, mislabelled.labels, None) == []
