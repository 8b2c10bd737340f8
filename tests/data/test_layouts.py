"""Folders and tables as people make them: which image is of which class and split, and what is said of the rest."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.zips import counts, encoded, faces, found, picture, refusal, stored, write
from unlearn_core.data.ingest.layout.class_folders import ClassFolders, read_class_folders
from unlearn_core.data.ingest.layout.placement import SplitQuestionError
from unlearn_core.data.ingest.layout.split_folders import split_name
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits


class Files(dict[str, bytes]):
    """Files in memory."""

    def read(self, path: str) -> bytes:
        return self[path]

    def head(self, path: str, size: int) -> bytes:
        return self[path][:size]


def layout(files: Mapping[str, bytes | str], *, as_classes: bool = False) -> ClassFolders:
    kept = Files({path: data if isinstance(data, bytes) else data.encode() for path, data in files.items()})
    return read_class_folders(kept, kept, UploadLimits(), as_classes=as_classes)


def images(*folders: str, each: int = 3, suffix: str = "png") -> dict[str, bytes]:
    """Empty files that are called like images, in each of these folders."""
    return {f"{folder}/{number}.{suffix}".lstrip("/"): b"" for folder in folders for number in range(each)}


def parts(got: ClassFolders) -> dict[str, list[str]]:
    """The classes of each split."""
    return {part: sorted({i.label for i in got.items if i.part == part}) for part in {item.part for item in got.items}}


TRAIN_TEST = {"train": ["blue", "red"], "test": ["blue", "red"]}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (images("red/images", "blue/images"), {"": ["blue", "red"]}),
        (images("red", "blue", "red/more"), {"": ["blue", "red"]}),
        (images("data/red/a/b/c", "data/blue"), {"": ["blue", "red"]}),
        (images("tiny/train/n01/images", "tiny/train/n02/images"), {"": ["n01", "n02"]}),
        (images("training_set/red", "training_set/blue", "test_set/red", "test_set/blue"), TRAIN_TEST),
        (images(*(f"{a}/{a}/{c}" for a in ("training_set", "test_set") for c in ("red", "blue"))), TRAIN_TEST),
        (images(*(f"seg_{a}/seg_{a}/{c}" for a in ("train", "test") for c in ("red", "blue"))), TRAIN_TEST),
        (images(*(f"Train/images/{c}" for c in ("red", "blue")), "Test/red", "Test/blue"), TRAIN_TEST),
        (images("train/red", "train/blue", "eval/red"), {"train": ["blue", "red"], "val": ["red"]}),
        (
            images("train/red", "train/blue", "val/red", "eval/blue"),
            {"train": ["blue", "red"], "val": ["red"], "test": ["blue"]},
        ),
        (images("train", "bus", "car"), {"": ["bus", "car", "train"]}),
        (images("train/images", "bus/images"), {"": ["bus", "train"]}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_trees_that_people_have(files: dict[str, bytes], wanted: dict[str, list[str]]) -> None:
    got = layout(files)
    assert parts(got) == wanted and len(got.items) == len(files)
    assert not got.skipped and not got.notes


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *((name, "train") for name in ("train", "Training", "trainset", "training_set", "train2017", "images_train")),
        *((name, "val") for name in ("val", "valid", "Validation", "valid_set", "dev", "ILSVRC_val"[7:])),
        *((name, "test") for name in ("test", "Testing", "test-set", "testdata", "holdout")),
        *((name, None) for name in ("train station", "tester", "images", "data", "contest", "2017", "", "训练")),
    ],
)
def test_names_of_splits(name: str, part: str | None) -> None:
    assert split_name(name) == part


# Splits without classes.


def test_an_unlabelled_test_folder_is_left_out_and_named() -> None:
    got = layout(images("train/red", "train/blue") | images("test", each=6))
    assert parts(got) == {"train": ["blue", "red"]}
    assert got.notes == ("“test” contains 6 images without classes, which are left out.",)
    got = layout(images("c/train/red", "c/train/blue", "c/test/images", "c/pred") | {"c/cover.png": b""})
    assert parts(got) == {"train": ["blue", "red"]}
    assert [note.split("”")[0] for note in got.notes] == ["“c", "“c/pred", "“c/test/images"]
    assert "1 image without a class, which is" in got.notes[0]


def test_well_known_archives_of_splits() -> None:
    """As GTSRB, the Intel scenes and cassava leaves are packed."""
    files = images("Train/0", "Train/1", "Test", "Meta") | {"Meta.csv": b"Path,ClassId\nMeta/0.png,0"}
    got = layout(files | {"Test.csv": b"Width,ClassId,Path\n9,0,Test/0.png\n9,1,Test/1.png\n9,1,Test/2.png"})
    assert parts(got) == {"train": ["0", "1"], "test": ["0", "1"]} and len(got.items) == 9
    got = layout(images(*(f"seg_{a}/seg_{a}/{c}" for a in ("train", "test") for c in "xy"), "seg_pred/seg_pred"))
    assert parts(got) == {"train": ["x", "y"], "test": ["x", "y"]}
    assert got.notes == ("“seg_pred/seg_pred” contains 3 images without classes, which are left out.",)
    files = images("train_images", "test_images") | {"test.csv": b"id_code\n0\n1\n2"}
    got = layout(files | {"train.csv": b"id_code,diagnosis\n0,0\n1,4\n2,4"})
    assert parts(got) == {"train": ["0", "4"]} and "“test_images” contains 3" in got.notes[1]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (images("train", "test"), "“train” and “test” directly contain images"),
        (images("x/train/images", "x/test/images"), "directly contain images"),
        (images("train", "test", "bus/a", "bus/b"), "“bus” lies beside the splits “test” and “train”"),
        (images("train/red", "train/blue", "extra/a", "extra/b"), "“extra” lies beside the splits “train”"),
        (images("val/red", "val/blue", "test/red"), "no folder of training images beside “test” and “val”"),
    ],
)
def test_what_may_be_splits_or_classes_is_asked(files: dict[str, bytes], why: str) -> None:
    with pytest.raises(SplitQuestionError, match=why) as asked:
        layout(files)
    assert "--set folders=classes" in str(asked.value)
    got = layout(files, as_classes=True)
    assert set(parts(got)) == {""} and len(got.items) == len(files), "no splits"
    assert {"train", "test", "val", "extra", "bus"} >= set(got.classes)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (images("train", "test/red", "test/blue"), "The training images in “train” are in no class folder"),
        (images("train/red", "training/red", "test/red"), "Two folders mean the same: train, training"),
        (images("data/red", "data/blue") | {"data/cover.png": b""}, "“data/cover.png” is not in a class folder"),
        (images("train/red", "train/blue", "test/red") | {"train/x.png": b""}, "“train/x.png” is not in a class"),
        (images(""), "“0.png” is not in a class folder"),
        (images("faces"), "only one class .“faces”."),
    ],
)
def test_a_refusal_names_what_is_in_the_way(files: dict[str, bytes], why: str) -> None:
    with pytest.raises(InvalidDatasetError, match=why):
        layout(files)


# Tables of labels.

COLOURS = [(number, ("red", "blue")[number % 2]) for number in range(6)]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("labels.csv", ["image,label", *(f"{n}.png,{c}" for n, c in COLOURS)]),
        ("labels.csv", ["Filename;Class", *(f"images/{n}.png;{c}" for n, c in COLOURS)]),
        ("meta.tsv", ["dx\tage\timage_id", *(f"{c}\t{n}\t{n}" for n, c in COLOURS)]),
        ("breeds.csv", ["id,breed", *(f"{n},{c}" for n, c in COLOURS)]),
        ("list.txt", [f"images\\{n}.png {c}" for n, c in COLOURS]),
        ("x.csv", ["class_id,class_name,file", *(f"{n % 2},{c},./images/{n}.png" for n, c in COLOURS)]),
        ("boxes.csv", ["filename,width,class,x", *(f"{n}.png,3,{c},{x}" for n, c in COLOURS for x in (1, 2))]),
        ("images/quoted.csv", ['"image","label"', *(f'"{n}.png","{c}"' for n, c in COLOURS)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("text", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_beside_a_flat_folder(name: str, rows: list[str], text: str) -> None:
    got = layout(images("d/images", each=6) | {f"d/{name}": "\r\n".join(rows).encode(text), "d/LICENSE": b"free"})
    assert got.classes == ("blue", "red")
    assert {item.path: item.label for item in got.items} == {f"d/images/{n}.png": c for n, c in COLOURS}
    assert got.notes == (f"Images with a class from “d/{name}”: 6.", "“d/LICENSE” is no image and is left out.")


def test_val_annotations_of_tiny_imagenet() -> None:
    """The boxes beside the training images are no labels, and the test images have none."""
    rows = [f"val_{n}.JPEG\tn0{1 + n % 2}\t0\t32\t44\t62" for n in range(4)]
    files = images("tiny/train/n01/images", "tiny/train/n02/images", suffix="JPEG")
    files |= {f"tiny/val/images/val_{n}.JPEG": b"" for n in range(4)} | images("tiny/test/images", suffix="JPEG")
    files |= {"tiny/train/n01/n01_boxes.txt": b"0.JPEG\t0\t0\t62\t62", "tiny/wnids.txt": b"n01\nn02"}
    got = layout(files | {"tiny/val/val_annotations.txt": "\n".join(rows).encode()})
    assert parts(got) == {"train": ["n01", "n02"], "val": ["n01", "n02"]}
    assert {i.path: i.label for i in got.items if i.part == "val"}["tiny/val/images/val_3.JPEG"] == "n02"
    assert got.notes == (
        "Images with a class from “tiny/val/val_annotations.txt”: 4.",
        "“tiny/test/images” contains 3 images without classes, which are left out.",
        "2 files are no images and are left out, among them “tiny/wnids.txt”.",
    )


def test_a_table_for_each_split() -> None:
    """The same names in both folders are different images."""
    tables = {"train.csv": b"id,label\n0,x\n1,y\n2,y", "test.csv": b"id,label\n0,y\n1,x\n2,x"}
    got = layout(images("train", "test") | tables)
    assert {item.path: (item.part, item.label) for item in got.items} == {
        f"{part}/{number}.png": (part, label)
        for part, labels in (("train", "xyy"), ("test", "yxx"))
        for number, label in enumerate(labels)
    }


def test_a_column_of_splits_and_rows_without_an_image() -> None:
    rows = ["image,label,split", "0,a,train", "1,b,train", "2,a,test", "3,b,Validation", "9,a,train", "4,,train"]
    got = layout(images("all", each=6) | {"labels.csv": "\n".join(rows)})
    assert {item.path[4]: item.part for item in got.items} == {"0": "train", "1": "train", "2": "test", "3": "val"}
    assert "“all” contains 2 images without classes, which are left out." in got.notes


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["a,b,c", "0.png,1,2", "1.png,3,4", "2.png,5,6"], "unclear which column of “labels.csv” has the classes: “a”"),
        (["image,label", "0.png,x", "0.png,y", "1.png,x", "2.png,x"], "“all/0.png” two classes, “x” and “y”"),
        (["image,label", "0.png,<b>", "1.png,x", "2.png,x"], "could act as markup"),
        (["image,label", "7.png,a", "8.png,b"], "only one class"),
        (["just one column"], "only one class"),
        (["image,label", '0.png,"open'], "only one class"),
    ],
)
def test_tables_that_do_not_tell(rows: list[str], why: str) -> None:
    with pytest.raises(InvalidDatasetError, match=why):
        layout(images("all") | {"labels.csv": "\n".join(rows)})


def test_a_table_of_classes_is_none_of_images() -> None:
    """Its numbers are names of images too."""
    files = images("all", each=9) | {"classes.csv": "id,name\n0,cat\n1,dog"}
    with pytest.raises(InvalidDatasetError, match="only one class"):
        layout(files)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["labels.csv", "labels.txt", "labels.tsv"]))
def test_any_table_gives_labels_or_a_sentence(data: bytes, name: str) -> None:
    for prefix in (b"", b"image,label\n0.png,a\n1.png,b\n2.png,b\n"):
        try:
            got = layout(images("all") | {name: prefix + data})
        except InvalidDatasetError:
            continue
        assert len(got.classes) > 1


# Files by what they contain.


def test_what_systems_and_cameras_add_does_not_matter(tmp_path: Path) -> None:
    """Resource forks, thumbnails, checkpoints of notebooks, upper-case endings, and two ways to write one letter."""
    members = {f"photos/{name}/DSC_{n}.{end}": picture(n, kind="JPEG") for name in ("cafe\u0301", "caf\u00e9", "tea")
               for n, end in enumerate(("JPG", "JPEG", "Jpg"))}  # fmt: skip
    more = {f"__MACOSX/photos/tea/._DSC_{n}.JPG": b"\0\5\x16\7" for n in range(3)}
    more |= {"photos/tea/Thumbs.db": b"x", "photos/.DS_Store": b"x", "photos/tea/desktop.ini": b"x"}
    more |= {"photos/tea/.ipynb_checkpoints/0-checkpoint.png": picture(), "photos/": None, "__MACOSX/": None}
    got = found(write(tmp_path / "z.zip", members | more))
    assert got["classes"] == ("caf\u00e9", "tea") and sum(counts(got)) == 9
    assert not got["left"] and not got["notes"]


def test_formats_by_content_and_not_by_ending(tmp_path: Path) -> None:
    kinds = {"0": "PNG", "1.dat": "JPEG", "2.jfif": "JPEG", "3.ppm": "PPM", "4.png": "TIFF", "5.tif": "TIFF"}
    kinds |= {"6.x": "WEBP", "7": "BMP", "8.gif": "PNG", "9.image": "GIF"}
    members = {f"{who}/{name}": picture(n, kind=kind) for who in "ab" for n, (name, kind) in enumerate(kinds.items())}
    got = found(write(tmp_path / "z.zip", members))
    assert sum(counts(got)) == 20 and not got["left"] and not got["notes"]


def test_files_that_are_no_images_are_left_out_with_a_count_wherever_they_lie(tmp_path: Path) -> None:
    more = {"LICENSE": b"x", "anna/notes.yaml": b"x", "labels/anna.txt": b"x", "a/b/c/index.html": b"x"}
    more |= {
        "data.bin": b"\0",
        "anna/.DS_Store": b"x",
        "Thumbs.db": b"x",
        "P": b"P",
        "BM": b"BMW",
        "ben/model.pt": b"PK",
    }
    got = found(write(tmp_path / "z.zip", faces() | more))
    assert sum(counts(got)) == 18 and got["left"] == 0
    assert got["notes"] == ["8 files are no images and are left out, among them “BM”."]


def test_a_folder_of_other_files_is_no_class(tmp_path: Path) -> None:
    got = found(write(tmp_path / "z.zip", faces() | {"masks/": None, "masks/0.json": b"{}"}))
    assert got["classes"] == ("anna", "ben", "carla")


def test_pictures_of_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    """They are not passed over as what lies beside images: a data set without a third of its images is another."""
    more = {f"anna/IMG_{n}.HEIC": b"x" for n in range(5)}
    assert "is a HEIC image: save it as JPEG" in refusal(write(tmp_path / "z.zip", faces() | more))


def test_what_is_read_from_a_table_is_what_the_images_are(tmp_path: Path) -> None:
    colours = {"red": (250, 10, 10), "blue": (10, 10, 250)}
    members: dict[str, bytes | None] = {
        f"all/{n}.png": encoded(Image.new("RGB", (20, 20), colours[c]), "PNG") for n, c in COLOURS
    }
    members["labels.csv"] = "\n".join(["image,label", *(f"{n}.png,{c}" for n, c in COLOURS)]).encode()
    got = found(write(tmp_path / "z.zip", members))
    pixels, labels = stored(tmp_path / "z.zip")
    assert [got["classes"][label] for label in labels] == [
        "red" if pixel[0] > 200 else "blue" for pixel in pixels[:, 8, 8]
    ]
