"""File names stay with the images of an imported data set, and lead back to them; what does not is listed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data import own_dataset
from tests.data.zips import faces, write
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.image_files import (
    FILES_FILE,
    MAX_PATH_LENGTH,
    find_files,
    image_paths,
    read_list,
    split_list,
    why_no_paths,
)
from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.decode_image import decode
from unlearn_core.data.ingest.import_spec import build_import_spec
from unlearn_core.data.sources import source
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.engine.jobs.import_dataset import import_dataset
from unlearn_core.engine.listener import NullListener
from unlearn_core.settings import UploadLimits

CLASSES = ("cat", "dog")
PATHS = [
    *(f"pets/cat/{number}.png" for number in range(4)),
    *(f"pets/dog/{number}.png" for number in range(3)), "pets/dog/rex.png",
    "pets/cat/val.png", "pets/dog/val.png", "pets/cat/test.png", "pets/dog/e\u0301t\u00e9.png",
]  # fmt: skip


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[Path]:
    user_catalog.set_data_dir(home)
    yield home
    user_catalog.set_data_dir(None)


def test_an_import_keeps_the_name_of_each_image(mine: Path, tmp_path: Path) -> None:
    members = {f"top/{name}": data for name, data in faces(each=10).items()}
    file = write(tmp_path / "faces.zip", members | {"top/anna/0.png": b"x", "top/notes.txt": b"x"})
    with file.open("rb") as opened:
        upload = upload_store.save(mine, opened, UploadLimits())
    spec = build_import_spec(source("zip"), {"upload": upload}, title="Faces", size=16)
    import_dataset(spec, mine, NullListener())
    card, images = datasets.card(spec.dataset), datasets.load(spec.dataset)
    paths = image_paths(card)
    assert paths is not None and {*paths} == {*members} - {"top/anna/0.png"}
    for path, image in zip(paths, images.images, strict=True):
        assert np.array_equal(image, decode(members[path], size=16, fit="crop", max_pixels=10_000).pixels), path


def test_names_are_matched_by_path_then_by_the_only_file_that_fits(mine: Path) -> None:
    own_dataset.add(mine, CLASSES, PATHS)
    found = find_files(
        ["pets/cat/1.png", "./pets\\cat\\2.png", "dog/0.png", "/elsewhere/rex.png", "1.png", "rex.PNG", "val.png",
         "cat/test.png", "\u00e9te\u0301.png", "pets/cat/1.png"],
        own_dataset.card_of(CLASSES),
    )  # fmt: skip
    assert found.by_path == {"pets/cat/1.png": 1, "./pets\\cat\\2.png": 2}
    assert found.by_end == {"dog/0.png": 4, "/elsewhere/rex.png": 7}
    assert found.several == ["1.png", "val.png"]
    assert found.held_out == ["cat/test.png", "\u00e9te\u0301.png"]
    assert found.missing == ["rex.PNG"]
    assert found.images == (1, 2, 4, 7) and not found.is_complete


def test_names_are_bounded_and_have_no_invisible_characters(mine: Path) -> None:
    long, odd = "x/" * 200 + "1.png", "a\u202eb\n\udcff.png"
    own_dataset.add(mine, CLASSES, [long, odd, *PATHS[2:]])
    paths = image_paths(own_dataset.card_of(CLASSES))
    assert paths is not None and len(paths[0]) == MAX_PATH_LENGTH and paths[1] == "a\\u202eb\\u000a\\udcff.png"
    assert find_files([long, odd], own_dataset.card_of(CLASSES)).images == (0, 1)


@pytest.mark.parametrize("damage", [None, "{", "[]", '{"a": 1}'])
def test_a_data_set_without_file_names_says_so(mine: Path, damage: str | None) -> None:
    own_dataset.add(mine, CLASSES)
    if damage is not None:
        (mine / "datasets" / "own-set" / FILES_FILE).write_text(damage)
    with pytest.raises(InvalidRequestError, match=r"Own set has no file names: .* add it again"):
        find_files(["1.png"], own_dataset.card_of(CLASSES))
    assert why_no_paths(datasets.card("cifar10-sample")).endswith("so its images have no file names.")
    assert why_no_paths(datasets.card("moons")).endswith("so its points have no file names.")


def test_a_list_has_a_name_on_each_line(tmp_path: Path) -> None:
    assert split_list('\ufeffa, b.png\r\n\n  "c d.png"  \n#1.png\n"\n') == ["a, b.png", "c d.png", "#1.png", '"']
    (tmp_path / "list.txt").write_bytes(b"a\xff.png")
    with pytest.raises(InvalidRequestError, match="not a text in UTF-8"):
        read_list(tmp_path / "list.txt")
    with pytest.raises(InvalidRequestError, match="Cannot read"):
        read_list(tmp_path / "nowhere.txt")
    own_dataset.add(tmp_path, CLASSES, PATHS)
    with pytest.raises(InvalidRequestError, match="no file name"):
        find_files([], own_dataset.card_of(CLASSES))
