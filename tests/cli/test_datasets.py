"""`datasets add`, `remove`, `restore` and `delete`: the same code path as the page, without a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.zips import faces, picture, write, write_named
from unlearn_core.__main__ import main
from unlearn_core.data import user_catalog
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("UNLEARN_DATA_ROOT", raising=False)
    yield
    user_catalog.set_data_dir(None)


def test_a_zip_is_added_removed_and_brought_back(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "my_faces.zip", faces(each=30) | {"anna/bad.png": b"x"})
    assert main(["datasets", "add", "zip", "--file", str(file), "--size", "32"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"my-faces-\w{6}: my faces is ready, 90 images in 3 classes in [\d.]+ s\.", said)
    assert "Skipped: 1.\n  'anna/bad.png' is not a PNG" in said
    (name,) = user_catalog.dataset_cards()
    (run,) = RunStore(home).list_runs()
    assert (run.state, run.title, run.metrics.dataset) == (RunState.DONE, "Prepare my faces", name)
    assert file.exists() and not list((home / "uploads").iterdir())
    assert main(["datasets", "--json"]) == 0
    assert name in {one["id"] for one in json.loads(capsys.readouterr().out)}
    for act, there in (("remove", False), ("restore", True), ("remove", False), ("delete", False)):
        assert main(["datasets", act, name]) == 0
        assert (name in user_catalog.dataset_cards()) == there
    assert main(["datasets", "restore", name]) == 2


def test_sources_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "sources", "--json"]) == 0
    assert {"zip", "cifar100"} <= {one["id"] for one in json.loads(capsys.readouterr().out)}
    assert main(["datasets", "sources"]) == 0
    said = capsys.readouterr().out
    assert "--set encoding=utf-8" in said and "--set folders=splits" in said and "--set upload" not in said
    assert "--set labels=fine" in said and "--file ZIP" in said and "not available: LFW can no longer" in said


def test_names_in_another_encoding_are_shown_and_chosen(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_named(tmp_path / "z.zip", {f"{a}/{n}.png".encode("gbk"): picture(n) for a in "红绿" for n in range(3)})
    words = ["datasets", "add", "zip", "--file", str(file), "--size", "16"]
    assert main(words) == 2
    assert "gb18030 (红, 绿)" in capsys.readouterr().err
    assert main([*words, "--encoding", "GBK"]) == 0
    (card,) = user_catalog.dataset_cards().values()
    assert card.classes == ("红", "绿")
    assert main([*words, "--encoding", "rot13"]) == 2 and "not as 'rot13'" in capsys.readouterr().err


def test_folders_called_like_splits_can_be_classes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {f"{part}/{n}.png": picture(n) for part in ("train", "test") for n in range(3)}
    words = ["datasets", "add", "zip", "--file", str(write(tmp_path / "z.zip", members | {"LICENSE": b"free"}))]
    assert main(words) == 2 and "“train” and “test” directly contain images" in capsys.readouterr().err
    assert main([*words, "--set", "folders=classes"]) == 0
    assert "“LICENSE” is no image and is left out." in capsys.readouterr().out
    (card,) = user_catalog.dataset_cards().values()
    assert card.classes == ("test", "train") and "LICENSE" in card.summary


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "imagenet"], "no source of images called 'imagenet'"),
        (["add", "zip"], "--file faces.zip"),
        (["add", "zip", "--file", "nowhere.zip"], "Cannot read"),
        (["add", "cifar100", "--set", "labels"], "--set takes OPTION=VALUE"),
        (["add", "cifar100", "--set", "labels=x"], "one of fine, coarse"),
        (["add", "lfw"], "can no longer be downloaded"),
        (["remove", "cifar10-sample"], "no data set of your own"),
    ],
)
def test_mistakes(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert main(["datasets", *words]) == 2
    assert sentence in capsys.readouterr().err
