"""What predictions prove about a checkpoint, on any division of the images into splits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import NormalizationTrial
from unlearn_core.engine.jobs.common.checkpoint_accuracy import compare_with_most_frequent, find_class_order
from unlearn_core.engine.jobs.common.checkpoint_trials import MAX_TRIAL_IMAGES, choose, normalizations, trial_images
from unlearn_core.engine.model_cache import DeviceDataset
from unlearn_core.models.matching.match import StateDictMatch
from unlearn_core.models.matching.target import Target
from unlearn_core.models.normalize import Normalize


def dataset(train: int, val: int, test: int, *, classes: int = 10) -> ImageDataset:
    """Images of one grey each, their labels in turn."""
    labels = np.arange(train + val + test) % classes
    images = np.repeat((labels * 25).astype(np.uint8), 3).reshape(-1, 1, 1, 3)
    return ImageDataset(images, labels, train, val, test)


def logits(predictions: np.ndarray, classes: int = 10) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[predictions]


def correct_on(images: ImageDataset, count: int) -> np.ndarray:
    """Predictions of which the first `count` of all images are right."""
    return np.where(np.arange(len(images.labels)) < count, images.labels, (images.labels + 1) % 10)


@pytest.mark.parametrize(("correct", "passed"), [(9, False), (16, False), (20, True), (100, True), (0, False)])
def test_a_model_must_beat_the_most_frequent_class_beyond_chance(correct: int, passed: bool) -> None:
    images = dataset(0, 100, 50)
    found = compare_with_most_frequent(logits(correct_on(images, correct)), images)
    assert found is not None and found.passed == passed
    assert (found.split, found.images, found.correct, found.most_frequent) == ("val", 100, correct, 0.1)


def test_with_unequal_classes_the_most_frequent_one_is_no_proof() -> None:
    images = ImageDataset(np.zeros((200, 1, 1, 3), np.uint8), np.repeat([0, 1], [170, 30]), 0, 200, 0)
    always = compare_with_most_frequent(logits(np.zeros(200, int), 2), images)
    assert always is not None and always.correct == 170 and not always.passed


def test_without_validation_images_it_is_said_that_test_images_were_used() -> None:
    images = dataset(10, 0, 40)
    found = compare_with_most_frequent(logits(images.labels), images)
    assert found is not None and (found.split, found.images) == ("test", 40) and found.passed
    assert compare_with_most_frequent(logits(np.arange(10)), dataset(10, 0, 0)) is None


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(10)), st.booleans())
def test_any_order_of_the_classes_is_found_however_the_labels_are_sorted(order: list[int], is_sorted: bool) -> None:
    images = dataset(0, 200, 0)
    if is_sorted:
        images = images._replace(labels=np.sort(images.labels))
    found = find_class_order(logits(np.array(order)[images.labels]), images)
    if order == list(range(10)):
        assert found is None
    elif found is not None:
        assert list(found.order) == order and found.after == 1 and not found.applied
    else:
        assert sum(place == output for place, output in enumerate(order)) >= 9, "at least two classes move: 20 points"


def test_chance_alone_offers_no_order() -> None:
    images = dataset(0, 100, 0)
    offers = [find_class_order(logits(np.random.default_rng(seed).integers(0, 10, 100)), images) for seed in range(40)]
    assert sum(one is not None for one in offers) <= 2


def test_without_validation_images_no_order_is_offered() -> None:
    assert find_class_order(logits(np.arange(10)), dataset(10, 0, 0)) is None


def on_device(images: ImageDataset) -> DeviceDataset:
    card = DatasetCard(
        id="greys", title="Greys", summary="", classes=tuple("abcdefghij"), size=1, licence="", source="",
        train=images.train, val=images.val, test=images.test,
    )  # fmt: skip
    return DeviceDataset(card, images, torch.from_numpy(images.images), torch.from_numpy(images.labels))


@pytest.mark.parametrize(
    ("sizes", "split", "count"),
    [((50, 30, 20), "val", 30), ((50, 0, 20), "train", 50), ((0, 0, 20), "train", 0), ((0, 5000, 0), "val", 1000)],
)
def test_test_images_are_never_used_to_choose(sizes: tuple[int, int, int], split: str, count: int) -> None:
    images = dataset(*sizes)
    sample = trial_images(on_device(images))
    assert (sample.split, len(sample.images), len(sample.labels)) == (split, count, count)
    assert count <= MAX_TRIAL_IMAGES


class Brightness(nn.Module):
    """Recognises greys, if its input is pixels in [0, 1] as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalize((0.5,) * 3, (0.5,) * 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return -(self.normalise(x).mean((1, 2, 3))[:, None] * 255 / 25 - torch.arange(10)).abs()


MATCH = StateDictMatch(Target("greys", "Greys", {}, (), 10), {}, "names as they are", (), (), ())
UPLOAD = "0" * 64
UNNORMALIZED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def test_the_most_accurate_normalisation_is_chosen_and_all_are_reported() -> None:
    images = dataset(0, 40, 0)
    ways = normalizations(AddCheckpointSpec(upload=UPLOAD, dataset="greys"), None, images)
    seen: list[int] = []
    choice = choose(
        [MATCH], ways, build=lambda match: Brightness(), sample=trial_images(on_device(images)),
        check=lambda: seen.append(1),
    )  # fmt: skip
    assert choice.normalization.title == "none" and choice.normalization.accuracy == 1
    assert [trial.title for trial in choice.trials] == [way.title for way in ways] and len(seen) == len(ways)
    assert "the data set's statistics" not in [way.title for way in ways], "there are no training images"


def test_several_matches_are_decided_by_their_accuracy() -> None:
    images = dataset(0, 40, 0)
    other = MATCH._replace(how="by order and shape")
    models = {MATCH.how: nn.Sequential(nn.Flatten(), nn.Linear(3, 10)), other.how: Brightness()}
    choice = choose(
        [MATCH, other],
        [NormalizationTrial("none", *UNNORMALIZED, None)],
        build=lambda match: models[match.how],
        sample=trial_images(on_device(images)),
        check=lambda: None,
    )
    assert choice.match is other and choice.normalization.accuracy == 1
    ((way, accuracy),) = choice.alternatives
    assert way == "Greys, names as they are" and accuracy < 0.5


def test_without_images_the_first_way_is_used() -> None:
    ways = [NormalizationTrial(title, *UNNORMALIZED, None) for title in ("first", "second")]
    sample = trial_images(on_device(dataset(0, 0, 20)))
    choice = choose([MATCH], ways, build=lambda match: Brightness(), sample=sample, check=lambda: None)
    assert choice.normalization.title == "first" and not choice.trials
