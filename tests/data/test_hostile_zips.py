"""Zips made to do harm, and files that are not images: each is refused with a sentence that says why."""

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from tests.data.zips import MOST, encoded, faces, found, job, named, picture, png, refusal, write
from unlearn_core.data.ingest import prepare
from unlearn_core.data.ingest.sanitize import quote
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import UploadLimits, settings

GOOD = faces()


def symlink() -> zipfile.ZipInfo:
    info = named("anna/link.png")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../evil.png", "leads out of its folder"),
        ("anna/../../evil.png", "leads out of its folder"),
        ("/etc/evil.png", "absolute path"),
        ("C:/evil/evil.png", "drive letter"),
        ("anna\\..\\evil.png", "backslash"),
        ("anna/evil.png\0.txt", "NUL"),
        ("anna//evil.png", "empty folder name"),
        (f"anna/{'x' * 300}.png", "304 letters"),
        (f"{'a/' * 5_000}1.png", "lies in 5,000 folders, and 32 are allowed"),
    ],
)
def test_a_path_that_would_leave_its_folder(tmp_path: Path, name: str, why: str) -> None:
    assert why in refusal(write(tmp_path / "z.zip", GOOD | {name: picture()}))


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("<img src=x onerror=alert(1)>", "could act as markup"),
        ("![x](http:evil)", "could act as markup"),
        ("`code`", "could act as markup"),
        ("safe\u202egnp", "invisible characters"),
        ("zero\u200bwidth", "invisible characters"),
        ("line\nbreak", "invisible characters"),
        ("n" * 255, "255 letters"),
        (" ", "has no name"),
    ],
)
def test_a_class_name_that_could_act_or_mislead(tmp_path: Path, folder: str, why: str) -> None:
    sentence = refusal(write(tmp_path / "z.zip", GOOD | {f"{folder}/{n}.png": picture(n) for n in range(4)}))
    assert why in sentence
    assert "\u202e" not in sentence and "\u200b" not in sentence


def test_names_are_said_without_what_one_does_not_see() -> None:
    assert quote("a\u202eb\0c\nd") == "“a\\u202eb\\u0000c\\u000ad”"
    assert len(quote("x" * 300)) < 70


def test_a_link(tmp_path: Path) -> None:
    file = write(tmp_path / "z.zip", GOOD)
    with zipfile.ZipFile(file, "a") as opened:
        opened.writestr(symlink(), "/etc/passwd")
    assert "is a link" in refusal(file)


def test_a_bomb_by_its_ratio(tmp_path: Path) -> None:
    nothing = {f"anna/{n}.bmp": encoded(Image.new("RGB", (3000, 3000)), "BMP") for n in range(2)}
    sentence = refusal(write(tmp_path / "z.zip", GOOD | nothing, zipfile.ZIP_DEFLATED))
    assert "like a zip bomb" in sentence


def test_a_bomb_by_its_size(tmp_path: Path) -> None:
    assert "1 MB are allowed" in refusal(
        write(tmp_path / "z.zip", GOOD | {"anna/big.png": os.urandom(1_500_000)}),
        MOST.model_copy(update={"most_unpacked_mb": 1}),
    )


def test_a_bomb_by_its_count(tmp_path: Path) -> None:
    sentence = refusal(write(tmp_path / "z.zip", faces(each=20)), MOST.model_copy(update={"most_pictures": 25}))
    assert "lists 60 files" in sentence


def test_a_bomb_of_files_that_overlap(tmp_path: Path) -> None:
    """Two entries of the list point to the same bytes; Python 3.11 would read both without complaint."""
    data = bytearray(write(tmp_path / "z.zip", GOOD).read_bytes())
    first = data.find(b"PK\1\2")
    second = data.find(b"PK\1\2", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    (tmp_path / "z.zip").write_bytes(data)
    assert "overlap" in refusal(tmp_path / "z.zip")


def test_an_archive_inside_of_an_archive(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("x.png", picture())
    assert "archive inside" in refusal(write(tmp_path / "z.zip", GOOD | {"anna/more.zip": inner.getvalue()}))


def test_a_list_that_lies_about_sizes(tmp_path: Path) -> None:
    """The list says 10 bytes where the file has more: the member is left out, and nothing more is read of it."""
    data = bytearray(write(tmp_path / "z.zip", faces(each=20)).read_bytes())
    first = data.find(b"PK\1\2")
    data[first + 24 : first + 28] = struct.pack("<I", 10)
    (tmp_path / "z.zip").write_bytes(data)
    assert found(tmp_path / "z.zip")["left"] == 1


def test_one_file_that_is_far_larger_than_a_picture(tmp_path: Path) -> None:
    """It is not even read: its claim is enough."""
    got = found(
        write(tmp_path / "z.zip", GOOD | {"anna/big.png": os.urandom(1_200_000)}),
        MOST.model_copy(update={"most_pixels": 400}),
    )
    assert got["left"] == 1 and "too large for an image" in got["named"][0][1]


def test_a_name_that_differs_between_list_and_file(tmp_path: Path) -> None:
    """The text that the reason then quotes is untrusted too."""
    data = write(tmp_path / "z.zip", faces(each=20)).read_bytes()
    (tmp_path / "z.zip").write_bytes(data.replace(b"anna/7.png", "ann\u202e\x07.pn".encode(), 1))
    got = found(tmp_path / "z.zip")
    assert got["left"] == 1 and got["named"][0][1].isprintable()


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "z.zip", GOOD).read_bytes())
    data[data.find(b"PK\1\2") + 8] |= 1
    (tmp_path / "z.zip").write_bytes(data)
    assert "make a new one without a password" in refusal(tmp_path / "z.zip")


@pytest.mark.parametrize(
    ("how", "name"), [(zipfile.ZIP_LZMA, "LZMA"), (zipfile.ZIP_BZIP2, "bzip2"), (9, "Deflate64"), (77, "method 77")]
)
def test_a_zip_that_is_packed_by_another_method(tmp_path: Path, how: int, name: str) -> None:
    data = bytearray(write(tmp_path / "z.zip", GOOD, how if how in (12, 14) else 0).read_bytes())
    data[data.find(b"PK\1\2") + 10] = how
    (tmp_path / "z.zip").write_bytes(data)
    sentence = refusal(tmp_path / "z.zip")
    assert f"is compressed with {name}" in sentence and "Deflate, or without" in sentence


@pytest.mark.parametrize(
    ("head", "what"),
    [(b"7z\xbc\xaf'\x1c", "a 7z archive"), (b"Rar!\x1a\7", "a RAR archive"), (b"\x1f\x8b\x08", "a gzip")],
)
def test_an_archive_of_another_kind(tmp_path: Path, head: bytes, what: str) -> None:
    (tmp_path / "z.zip").write_bytes(head + bytes(300))
    assert f"This is {what}" in refusal(tmp_path / "z.zip")


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip" * 100, picture()])
def test_no_zip_at_all(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "z.zip").write_bytes(data)
    assert "This is not a zip" in refusal(tmp_path / "z.zip")


def test_a_zip_that_was_cut_off(tmp_path: Path) -> None:
    file = write(tmp_path / "z.zip", GOOD)
    file.write_bytes(file.read_bytes()[:-400])
    assert "This is not a zip" in refusal(file)


def huge() -> bytes:
    """A PNG of a few bytes that claims 50,000 by 50,000 pixels."""
    return png(50_000, 50_000, bits=8, kind=2, rows=b"\0" * 100)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("bomb.png", huge(), "far larger than an image"),
        ("large.png", encoded(Image.new("L", (5_100, 5_000)), "PNG"), "5,100 × 5,000 pixels large, and 25 million"),
        ("cut.png", picture(size=(60, 60))[:900], "is damaged"),
        ("cut.jpg", picture(size=(60, 60), kind="JPEG")[:700], "is damaged"),
        ("named.png", b"#!/bin/sh\necho evil", "whatever its name says"),
        ("named.png", encoded(Image.new("RGB", (8, 8)), "TGA"), "whatever its name says"),
        ("named.jpg", encoded(Image.new("RGB", (8, 8)), "EPS"), "whatever its name says"),
        ("empty.png", b"", "whatever its name says"),
        ("drawn.svg", SVG, "is a vector drawing (SVG)"),
        ("drawn.png", SVG, "whatever its name says"),
        ("clip.mp4", b"\0" * 50, "is not a PNG, JPEG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_that_is_none(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    """One among many is left out and named; where they are many, all is refused."""
    got = found(write(tmp_path / "z.zip", faces(each=8) | {f"anna/{name}": data}))
    assert got["left"] == 1 and got["train"] + got["val"] + got["test"] == 24
    (path, reason) = got["named"][0]
    assert path == f"anna/{name}" and why in reason
    many = {f"anna/{number}-{name}": data for number in range(4)}
    sentence = refusal(write(tmp_path / "z.zip", GOOD | many))
    assert "4 of 22 images cannot be used" in sentence and why in sentence
    setting = "MOST_PIXELS" if "larger" in why or "pixels" in why else "MOST_UNUSABLE"
    assert [word for word in sentence.replace(".", " ").split() if word.startswith("UNLEARN_")] == [
        f"UNLEARN_{setting}"
    ]


def test_what_is_kept_when_some_are_left_out(tmp_path: Path) -> None:
    """Every row still is the picture that its label says, in the cut that the usable ones give."""
    colours = {"anna": (250, 10, 10), "ben": (10, 250, 10), "carla": (10, 10, 250)}
    members = {
        f"{name}/{n}.png": encoded(Image.new("RGB", (30, 20), colour), "PNG")
        for name, colour in colours.items()
        for n in range(10)
    }
    got = found(write(tmp_path / "z.zip", members | {"anna/4.png": b"x", "carla/0.png": b"x"}))
    images = np.load(tmp_path / "out" / "images.npy", allow_pickle=False)
    labels = np.load(tmp_path / "out" / "labels.npy", allow_pickle=False)
    assert images.shape == (28, 16, 16, 3) and got["classes"] == ("anna", "ben", "carla")
    assert (images[:, 8, 8] == np.array(list(colours.values()))[labels]).all()
    ends = np.cumsum([got["train"], got["val"]])
    assert [np.bincount(part).tolist() for part in np.split(labels, ends)] == [[6, 7, 6], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (GOOD | {"empty/": None}, "“empty” has no image"),
        (GOOD | {"empty/why.svg": SVG}, "“empty” has no image: “why.svg” is a vector drawing"),
        (faces(1), "only one class (“anna”)"),
        (faces(1, top="all/"), "only one class (“anna”)"),
        (GOOD | faces(4, 2), "1 class has fewer than 3 usable images (“dora”)"),
        ({"1.png": picture()}, "is not in a class folder"),
        (GOOD | {"loose.png": picture()}, "is not in a class folder"),
        (GOOD | {"anna/deep/why.png": b"x", "dora/deep/er/": None}, "“dora” has no image"),
        ({"readme.txt": b"x"}, "contains no image"),
        (GOOD | {"anna/0.png": picture()}, ""),
    ],
)
def test_folders_that_make_no_classes(tmp_path: Path, members: dict, why: str) -> None:
    if not why:  # The last one is a good zip, so that this test can fail.
        assert found(write(tmp_path / "z.zip", members))["left"] == 0
        return
    assert why in refusal(write(tmp_path / "z.zip", members))


def test_more_classes_than_allowed(tmp_path: Path) -> None:
    members = {f"class {name}/{n}.png": b"never opened" for name in range(1_001) for n in range(3)}
    assert "1,001 classes" in refusal(write(tmp_path / "z.zip", members))


def test_two_files_of_one_name(tmp_path: Path) -> None:
    file = write(tmp_path / "z.zip", GOOD)
    with zipfile.ZipFile(file, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("anna/0.png", picture())
    assert "two files called" in refusal(file)


def test_more_than_there_is_room_for(tmp_path: Path) -> None:
    assert "are left for data sets" in refusal(write(tmp_path / "z.zip", GOOD), room=1000)


# What only the limited process can show.


def confine(
    file: Path, tell: Callable = lambda *told: None, most: UploadLimits = MOST, **more: object
) -> dict[str, Any]:
    return cast("dict[str, Any]", prepare.decode_sandboxed(job(file, file.parent / "out", **more), most, tell))


def test_another_process_does_the_work(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    got = confine(write(tmp_path / "z.zip", faces(each=40, top="faces/")), lambda *now: told.append(now))
    assert (got["train"], got["val"], got["test"]) == (84, 12, 24)
    assert told[-1] == ("decode", 120, 120)


def test_that_process_is_limited_and_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "DECODE_FUNCTION", "tests.data.sandbox.sandbox_jobs:reports_limits")
    monkeypatch.setenv("UNLEARN_DATABASE", "postgresql://me:secret@there/runs")
    got = confine(write(tmp_path / "z.zip", GOOD), most=settings())
    threads = min(len(os.sched_getaffinity(0)), 8)
    assert got["pid"] != os.getpid()
    assert got["AS"] == [(MOST.most_memory_mb + 300 * threads) << 20] * 2
    assert got["CPU"] == [60 * MOST.most_minutes * threads, 60 * MOST.most_minutes * threads + 1]
    assert not [name for name in got["environment"] if name.startswith("UNLEARN")]
    assert "HOME" not in got["environment"]
    assert got["job"]["limits"] == MOST.model_dump(), "of the settings, it gets the limits only"


def test_a_refusal_comes_through(tmp_path: Path) -> None:
    with pytest.raises(InvalidDatasetError, match="only one class"):
        confine(write(tmp_path / "z.zip", faces(1)))


def test_one_that_takes_too_much_memory(tmp_path: Path) -> None:
    large = {f"anna/large-{n}.bmp": encoded(Image.new("RGB", (4_900, 4_900), (n, 0, 0)), "BMP") for n in range(2)}
    file = write(tmp_path / "z.zip", GOOD | large)
    most = MOST.model_copy(update={"most_memory_mb": -280, "most_unusable": 1})  # 300 MB for a thread are added.
    with pytest.raises(InvalidDatasetError, match=r"memory|died"):
        confine(file, most=most)


def test_one_that_uses_up_its_processor_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "DECODE_FUNCTION", "tests.data.sandbox.sandbox_jobs:exceeds_cpu")
    with pytest.raises(InvalidDatasetError, match=f"not decoded within {MOST.most_minutes} minutes"):
        confine(write(tmp_path / "z.zip", GOOD))


def test_one_that_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(InvalidDatasetError, match="not decoded within 0 minutes"):
        confine(write(tmp_path / "z.zip", faces(each=40)), most=MOST.model_copy(update={"most_minutes": 0}))


def test_one_that_nobody_wants_any_more(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def tell(*_: object) -> None:
        raise Enough

    with pytest.raises(Enough):
        confine(write(tmp_path / "z.zip", faces(each=40)), tell)


def test_a_process_that_dies_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "DECODE_FUNCTION", "tests.data.sandbox.sandbox_jobs:segfaults")
    with pytest.raises(InvalidDatasetError, match=r"died \(signal 11"):
        confine(write(tmp_path / "z.zip", GOOD))


def test_words_of_the_child_are_plain_text() -> None:
    assert json.dumps({"refused": "\u202e"}).isascii()
