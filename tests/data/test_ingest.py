"""Splitting data sets, and publishing them completely or not at all."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.zips import faces, write
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.ingest import staging, trash, upload_store
from unlearn_core.data.ingest.import_spec import build_import_spec
from unlearn_core.data.ingest.splitting import split_images
from unlearn_core.data.sources import source
from unlearn_core.domain.errors import CorruptAssetError, InvalidDatasetError, NotFoundError, StoreError
from unlearn_core.engine.jobs.import_dataset import import_dataset
from unlearn_core.engine.listener import NullListener
from unlearn_core.settings import UploadLimits

ROOT = Path(__file__).resolve().parents[2]
MOST = UploadLimits()


@pytest.fixture
def mine(home: Path) -> Iterator[Path]:
    user_catalog.set_data_dir(home)
    yield home
    user_catalog.set_data_dir(None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "train", "val", "test"])), min_size=12, max_size=80))
def test_a_cut_is_disjoint_exhaustive_and_the_same_each_time(rows: list[tuple[int, str]]) -> None:
    labels, parts = np.array([label for label, _ in rows]), np.array([part for _, part in rows])
    found = split_images(labels, parts)
    assert sorted(found.order.tolist()) == list(range(len(rows)))
    assert found.train + found.val + found.test == len(rows)
    assert (split_images(labels, parts).order == found.order).all()
    if {"val", "test"} <= set(parts.tolist()):
        assert set(parts[found.order[: found.train]]) <= {"", "train"}
        assert set(parts[found.order[found.train + found.val :]]) == {"test"}


def test_each_class_has_its_share_of_what_is_cut() -> None:
    labels = np.repeat(np.arange(5), 30)
    found = split_images(labels, np.full(150, ""))
    ends = np.cumsum([found.train, found.val])
    shares = [np.bincount(part, minlength=5).tolist() for part in np.split(labels[found.order], ends)]
    assert shares == [[21] * 5, [3] * 5, [6] * 5]
    three = split_images(np.repeat([0, 1], 3), np.full(6, ""))
    assert (three.train, three.val, three.test) == (2, 2, 2), "one of each, of three"


def zipped(home: Path, file: Path) -> str:
    """Brings a small zip in; gives its id."""
    with write(file, faces(each=5)).open("rb") as opened:
        kept = upload_store.save(home, opened, MOST)
    spec = build_import_spec(source("zip"), {"upload": kept}, title="Faces")
    return import_dataset(spec, home, NullListener()).dataset or ""


def test_a_data_set_is_mapped_and_taken_by_torch_as_it_is(mine: Path, tmp_path: Path) -> None:
    name = zipped(mine, tmp_path / "z.zip")
    found = datasets.load(name)
    assert isinstance(found.images, np.memmap)
    found.images[0, 0, 0, 0] ^= 255  # What is written to memory never reaches the file.
    assert (datasets.load(name).images != found.images).sum() == 1


def test_a_damaged_data_set_is_said(mine: Path, tmp_path: Path) -> None:
    name = zipped(mine, tmp_path / "z.zip")
    file = mine / "datasets" / name / user_catalog.IMAGES_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        datasets.load(name)
    np.save(file, np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(CorruptAssetError, match="do not match its card"):
        datasets.load(name)
    file.unlink()
    with pytest.raises(CorruptAssetError, match="Add it again"):
        datasets.load(name)


KILLED = """
import os, signal, sys
from pathlib import Path
from unlearn_core.data.ingest import staging
with staging.staging_folder(Path(sys.argv[1])) as folder:
    (folder / "images.npy").write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_never_seen_and_is_swept(mine: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(mine)], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -9
    (left,) = (mine / "datasets").iterdir()
    assert (left / "images.npy").exists() and not user_catalog.dataset_cards()
    with staging.staging_folder(mine) as folder:
        assert not left.exists()
        with staging.staging_folder(mine):
            assert folder.exists(), "a folder in use stays"


def test_room_counts_what_is_in_the_trash(mine: Path, tmp_path: Path) -> None:
    name = zipped(mine, tmp_path / "z.zip")
    taken = MOST.most_folder_gb * 10**9 - staging.free_quota(mine, MOST)
    assert taken == (mine / "datasets" / name / user_catalog.IMAGES_FILE).stat().st_size
    trash.remove(mine, name)
    assert MOST.most_folder_gb * 10**9 - staging.free_quota(mine, MOST) == taken
    trash.delete(mine, name)
    assert staging.free_quota(mine, MOST) == MOST.most_folder_gb * 10**9


def test_the_trash_gives_back_what_it_took(mine: Path, tmp_path: Path) -> None:
    name = zipped(mine, tmp_path / "z.zip")
    trash.remove(mine, name)
    assert name not in datasets.cards() and list(trash.removed(mine)) == [name]
    assert zipped(mine, tmp_path / "z.zip") == name, "the same images, uploaded again"
    with pytest.raises(StoreError, match="another one called"):
        trash.restore(mine, name)
    trash.remove(mine, name)
    trash.restore(mine, name)
    assert name in datasets.cards() and not trash.removed(mine)
    for act in (trash.remove, trash.restore, trash.delete):
        with pytest.raises(NotFoundError):
            act(mine, "../../etc")


def test_uploads_are_limited_and_not_kept_for_ever(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = MOST.model_copy(update={"most_upload_mb": 1, "most_uploads_mb": 5})
    with pytest.raises(InvalidDatasetError, match="larger than 1 MB"):
        upload_store.save(mine, io.BytesIO(bytes(1_000_001)), small)
    assert not list((mine / "uploads").iterdir())
    for _ in range(5):
        upload_store.save(mine, io.BytesIO(bytes(1_000_000)), small)
    with pytest.raises(InvalidDatasetError, match=r"Too many uploads are waiting.*UNLEARN_MOST_UPLOADS_MB"):
        upload_store.save(mine, io.BytesIO(b"x"), small)
    monkeypatch.setattr(upload_store, "_MAX_AGE", -1.0)
    upload_store.save(mine, io.BytesIO(b"x"), small)
    assert len(list((mine / "uploads").iterdir())) == 1
    for name in ("../../etc/passwd", "x", ""):
        with pytest.raises(InvalidDatasetError):
            upload_store.upload_path(mine, name)


def test_the_server_takes_what_an_upload_may_have() -> None:
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    assert f"maxUploadSize = {MOST.most_upload_mb}" in config
