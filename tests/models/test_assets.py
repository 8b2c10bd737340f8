"""Bundled files are complete and small, and damaged ones are refused with a clear sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.data import datasets, webp_sheets
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.data.datasets import cifar10_sample
from unlearn_core.domain.errors import CorruptAssetError, NotFoundError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.installation import ASSETS
from unlearn_core.models import bundled_models, classifiers, further_golds

TRACKED = ("assets", "docs", "pages", "tests", "typings", "unlearn_core")
OTHER_FILES = 0.3e6
"""The files beside these folders, in bytes: the README, tool settings and the like."""


def test_the_sample_is_what_its_card_says() -> None:
    card, pictures = cifar10_sample.CARD, datasets.load("cifar10-sample")
    assert pictures.images.shape == (13_000, 32, 32, 3) and pictures.images.dtype == np.uint8
    for start, count in ((0, 1000), (10_000, 100), (11_000, 200)):
        own = pictures.labels[start : start + 10 * count]
        assert np.bincount(own).tolist() == [count] * 10
    seen = {image.tobytes() for image in pictures.images}
    assert len(seen) == card.train + card.val + card.test, "no image is in two splits"
    manifest = json.loads((ASSETS / "datasets" / card.id / "manifest.json").read_text())
    content = sha256(pictures.images.tobytes() + pictures.labels.astype(np.uint8).tobytes())
    assert content == manifest["content"]


def test_a_damaged_and_a_missing_file_are_named(tmp_path: Path) -> None:
    shutil.copytree(ASSETS / "datasets", tmp_path / "datasets")
    victim = tmp_path / "datasets" / "cifar10-sample" / "03.webp"
    data = bytearray(victim.read_bytes())
    data[1000] ^= 1
    victim.write_bytes(data)
    with pytest.raises(CorruptAssetError, match=r"03\.webp is damaged.*git checkout"):
        cifar10_sample.load(tmp_path)
    victim.unlink()
    with pytest.raises(CorruptAssetError, match=r"03\.webp cannot be read.*make bundle"):
        cifar10_sample.load(tmp_path)
    (tmp_path / "datasets" / "cifar10-sample" / "manifest.json").write_text("{")
    with pytest.raises(CorruptAssetError, match="no readable manifest"):
        cifar10_sample.load(tmp_path)


def test_sprites_lose_nothing() -> None:
    images = np.random.default_rng(0).integers(0, 256, (503, 2, 2, 3), dtype=np.uint8)
    files = webp_sheets.encode(images)
    assert len(files) == 2 and np.array_equal(webp_sheets.decode(files, 2), images)


def test_every_shipped_net_is_whole_and_as_good_as_its_card_says() -> None:
    card, data = classifiers.card("resnet20"), datasets.load("cifar10-sample")
    shipped = bundled_models.bundled("resnet20")
    assert {net.name for net in shipped} >= {"original-0", "gold-cat-0"}
    test = slice(data.train + data.val, None)
    for net in shipped:
        assert bundled_models.read_weights(net)
        right = bundled_models.read_logits(net)[test].argmax(1) == data.labels[test]
        forgotten = np.isin(data.labels[test], getattr(net.forget, "classes", ()))
        assert right[~forgotten].mean() > 0.82
        assert not right[forgotten].any(), "a gold never says the class that it never saw"
        assert net.seed >= bundled_models.GOLD_SEED_OFFSET or net.forget is None
    original = bundled_models.find_bundled("resnet20", None, card.seed)
    assert original is not None
    assert (bundled_models.read_logits(original)[test].argmax(1) == data.labels[test]).mean() >= 0.83


def test_the_project_stays_under_48_megabytes() -> None:
    """The limit of everything tracked; what else lies in these folders counts too, so it may only fail too early."""
    root = ASSETS.parent
    files = (path for name in TRACKED for path in (root / name).rglob("*") if "__pycache__" not in path.parts)
    assert sum(path.stat().st_size for path in files if path.is_file()) < 48e6 - OTHER_FILES


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(NotFoundError, match=r"no data set called 'mnist'. Known: .*cifar10-sample"):
        datasets.load("mnist")
    with pytest.raises(NotFoundError, match="no classifier called 'x'"):
        classifiers.card("x")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_further_golds_are_whole_and_as_good_as_the_first() -> None:
    data = datasets.load("cifar10-sample")
    test = np.arange(data.train + data.val, len(data.labels))
    gone = {
        forget.classes: model
        for model in bundled_models.bundled("resnet20")
        if (forget := model.forget) is not None and forget.kind == "classes"
    }
    assert further_golds.every_output("resnet20")
    for classes, first in gone.items():
        request = ForgetRequest(classifier="resnet20", dataset="cifar10-sample", forget=ForgetClasses(classes=classes))
        found = further_golds.bundled_outputs(request)
        if found is None:
            continue
        rows = test[~np.isin(data.labels[test], classes)]
        reached = (bundled_models.read_logits(first)[rows].argmax(1) == data.labels[rows]).mean()
        accuracies = (found.on(rows).argmax(2) == data.labels[rows]).mean(1)
        assert np.abs(accuracies - reached).max() < 0.03, "another seed of the same recipe"
        assert not np.isin(found.on(test).argmax(2), classes).any(), "it has never seen the class"
    files = (ASSETS / "classifiers" / "resnet20" / further_golds.FOLDER).iterdir()
    assert sum(file.stat().st_size for file in files) < 2 * 2**20
