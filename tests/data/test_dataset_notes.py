"""What about a data set may mislead is said on import, and by the command line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data import sparse_dataset
from tests.data.zips import encoded, write
from unlearn_core.__main__ import main
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.dataset_notes import dataset_notes
from unlearn_core.data.duplicates.record import dataset_duplicates


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[None]:
    yield
    user_catalog.set_data_dir(None)


def notes(home: Path, **counts: Sequence[int]) -> list[str]:
    sparse_dataset.bring(home, {**sparse_dataset.FULL, **counts})
    card = datasets.card(sparse_dataset.NAME)
    return dataset_notes(card, datasets.load(card.id).labels, dataset_duplicates(card))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            {"train": (30, 0, 30, 30)},
            ["The class “columns” has no training image: it cannot be learned, nor forgotten."],
        ),
        ({"train": (1, 30, 3, 30)}, ["Each of 2 classes has 3 training images or fewer", "“rows”, “checks”"]),
        ({"val": (0, 0, 0, 0)}, ["There are no validation images: hyperparameters cannot be tuned."]),
        ({"test": (0, 0, 0, 0)}, ["There are no test images: no accuracy can be measured on unseen images."]),
        ({"test": (9, 0, 9, 9)}, ["The class “columns” has no test image: its accuracy is unknown."]),
        ({"test": (28, 9, 9, 9)}, ["the largest has 28 test images, the smallest 9", "Balanced accuracy"]),
    ],
)
def test_each_is_said_in_a_sentence(home: Path, counts: Mapping[str, Sequence[int]], words: list[str]) -> None:
    said = notes(home, **counts)
    assert len(said) == 1
    assert all(part in said[0] for part in words), said


def test_nothing_is_said_of_an_ordinary_data_set(home: Path) -> None:
    assert notes(home) == []
    moons = datasets.card("moons")
    assert dataset_notes(moons, datasets.load("moons").labels, dataset_duplicates(moons)) == []


def test_a_class_that_only_the_test_images_have(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said on import, and a request to forget it is refused in a sentence."""
    rng = np.random.default_rng(0)
    files: dict[str, bytes | None] = {
        f"{split}/{name}/{number}.png": encoded(Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)), "PNG")
        for split, name, count in (
            ("train", "red", 12), ("train", "blue", 12), ("test", "red", 5), ("test", "blue", 5), ("test", "grey", 5)
        )
        for number in range(count)
    }  # fmt: skip
    copy = files["train/red/0.png"]
    files |= {"train/blue/12.png": copy, "test/red/5.png": copy}
    zipped = write(tmp_path / "extra.zip", files)
    assert main(["datasets", "add", "zip", "--file", str(zipped), "--size", "24"]) == 0
    printed = capsys.readouterr().out
    assert "Note: The class “grey” has no training image" in printed
    assert "Note: 1 training image is an exact or near copy of another one" in printed
    name = printed.partition(":")[0]

    assert main(["datasets", "duplicates", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (group,) = found["groups"]
    assert group["identical"] is True
    where = {(one["split"], one["class"]) for one in group["images"]}
    assert {("training", "blue"), ("training", "red")} < where
    assert main(["datasets", "duplicates", name]) == 0
    assert "extra: groups of copies: 1.\n  identical: training " in capsys.readouterr().out

    assert main(["train", "--classifier", "tiny", "--dataset", name, "--epochs", "1", "--device", "cpu"]) == 0
    (classifier,) = user_catalog.classifier_cards()
    capsys.readouterr()
    assert main(["run", "--classifier", classifier, "--forget-classes", "grey", "--method", "finetune"]) == 2
    assert "There is no training image to forget" in capsys.readouterr().err
    assert main(["gold", "--classifier", classifier, "--forget-classes", "grey"]) == 2
    assert "There is no training image to forget" in capsys.readouterr().err


def test_an_unknown_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "duplicates", "nowhere"]) == 2
    assert "There is no data set called 'nowhere'" in capsys.readouterr().err
