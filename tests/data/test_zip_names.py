"""Names in a zip: in other encodings, with backslashes, and with characters that only say how letters join."""

import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.zips import Unmarked, faces, found, picture, refusal, write, write_named
from unlearn_core.data.ingest.layout.name_encodings import ENCODINGS, canonical, decode_paths, readings
from unlearn_core.data.ingest.sanitize import class_name_error, quote
from unlearn_core.domain.errors import InvalidDatasetError

WORDS = {
    "gb18030": ("红", "蓝", "绿"),
    "cp932": ("青", "赤", "表示"),
    "cp949": ("강아지", "고양이"),
    "cp1252": ("café", "thé"),
    "cp1251": ("кошка", "собака"),
    "cp866": ("кошка", "собака"),
    "cp1253": ("γάτα", "σκύλος"),
}
"""Names as old zip programs write them; one of the Japanese letters has a backslash as its second byte."""


def named(encoding: str, *, top: str = "", each: int = 4) -> dict[bytes, bytes]:
    return {f"{top}{w}/{n}.png".encode(encoding): picture(n) for w in WORDS[encoding] for n in range(each)}


@pytest.mark.parametrize("encoding", WORDS)
def test_names_that_are_not_utf_8_are_shown_and_chosen(tmp_path: Path, encoding: str) -> None:
    file = write_named(tmp_path / "z.zip", named(encoding))
    sentence, inside = refusal(file), sorted(WORDS[encoding], key=lambda word: word.encode(encoding))
    assert "not in Unicode (UTF-8)" in sentence and "--encoding" in sentence
    assert f"read as {encoding} ({', '.join(inside)})" in sentence, "the likeliest is first"
    assert found(file, encoding=encoding)["classes"] == tuple(sorted(WORDS[encoding]))


def test_a_choice_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = write_named(tmp_path / "z.zip", named("cp1252"))
    assert "Some names are not in Japanese (Shift JIS)" in refusal(file, encoding="cp932")


def test_utf_8_without_saying_so(tmp_path: Path) -> None:
    """As the archive utility of macOS writes it."""
    got = found(write_named(tmp_path / "z.zip", {name.encode(): data for name, data in faces(top="thé/").items()}))
    assert got["classes"] == ("anna", "ben", "carla")
    got = found(write_named(tmp_path / "z.zip", {f"{w}/{n}.png".encode(): picture(n) for w in "éü" for n in range(3)}))
    assert got["classes"] == ("é", "ü")


def test_a_name_in_utf_8_that_was_added_to_the_old_one(tmp_path: Path) -> None:
    """As WinRAR and Info-ZIP write it; one whose checksum is another belongs to another name."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        for number in range(6):
            name, old = f"thé {number % 2}/{number}.png".encode(), f"th\xe9 {number % 2}/{number}.png".encode("cp1252")
            info = Unmarked("x")
            info.filename = old.decode("cp437")
            wrong = number == 5
            body = b"\1" + struct.pack("<I", zlib.crc32(old) + wrong) + name
            info.extra = struct.pack("<HH", 0x7075, len(body)) + body
            file.writestr(info, picture(number))
    assert "not in Unicode" in refusal(tmp_path / "z.zip"), "the last one is not known"
    assert found(tmp_path / "z.zip", encoding="cp1252")["classes"] == ("thé 0", "thé 1")


def test_a_table_in_another_encoding(tmp_path: Path) -> None:
    rows = ["image,label", *(f"{n}.png,{('кошка', 'собака')[n % 2]}" for n in range(8))]
    members: dict[str, bytes | None] = {f"all/{n}.png": picture(n) for n in range(8)}
    file = write(tmp_path / "z.zip", members | {"labels.csv": "\n".join(rows).encode("cp1251")})
    assert "cp1251 (0.png,кошка" in refusal(file)
    assert found(file, encoding="cp1251")["classes"] == ("кошка", "собака")


@given(st.sampled_from(sorted(ENCODINGS)), st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=5))
def test_any_names_come_back_in_their_encoding(encoding: str, names: list[str]) -> None:
    raw = [name.encode(encoding, "ignore") for name in names]
    texts = decode_paths(raw, encoding)
    assert [text.encode(encoding) for text in texts] == raw
    for reading in readings(raw):
        assert reading.encoding in ENCODINGS and reading.example.isprintable()


@pytest.mark.parametrize(
    ("said", "meant"),
    [("GBK", "gb18030"), ("Shift_JIS", "cp932"), ("latin-1", "cp1252"), ("euc-kr", "cp949"), ("", "utf-8")],
)  # fmt: skip
def test_names_of_encodings(said: str, meant: str) -> None:
    assert canonical(said) == meant
    assert all(canonical(one) == one for one in ENCODINGS)


@pytest.mark.parametrize("said", ["rot13", "base64", "punycode", "nothing", "x" * 99, "utf-16", "\0"])
def test_what_is_no_encoding_of_names(said: str) -> None:
    with pytest.raises(InvalidDatasetError, match="Names can be read as utf-8, gb18030"):
        canonical(said)


# Backslashes.


def test_backslashes_between_folders_where_there_is_nothing_else(tmp_path: Path) -> None:
    members = {name.replace("/", "\\"): data for name, data in faces(top="faces/").items()}
    assert found(write(tmp_path / "z.zip", members | {"readme.txt": b"x"}))["classes"] == ("anna", "ben", "carla")


@pytest.mark.parametrize("name", ["anna\\..\\..\\evil.png", "\\etc\\evil.png", "C:\\evil.png", "anna\\\\evil.png"])
def test_backslashes_lead_out_of_no_folder(tmp_path: Path, name: str) -> None:
    members = {path.replace("/", "\\"): data for path, data in faces().items()}
    assert "path" in refusal(write(tmp_path / "z.zip", members | {name: picture()}))


# Joiners.

WANT = "می\u200cخواهم"  # noqa: RUF001 (Persian: its letters look like others)


@pytest.mark.parametrize(
    "name",
    [WANT, "👩\u200d🚀", "👩🏽\u200d🚀", "🏳\ufe0f\u200d🌈", "❤\ufe0f\u200d🔥", "क्\u200dष", "ක්\u200dර", "ন্\u200c"],
)
def test_joiners_that_a_script_needs(tmp_path: Path, name: str) -> None:
    members = {f"{folder}/{n}.png": picture(n) for folder in (name, "other") for n in range(3)}
    assert name in found(write(tmp_path / "z.zip", members))["classes"]
    assert class_name_error(name) is None and quote(name) == f"“{name}”"


@pytest.mark.parametrize(
    "name",
    [
        "cat\u200ds",
        "cat\u200cs",
        "\u200cمی",
        "می\u200c",
        "می\u200dخ",
        "👩\u200d",
        "\u200d🚀",
        "👩\u200dx",
        "क्\u200b",
        "چ\u200cx",
    ],
)
def test_joiners_that_no_script_needs(name: str) -> None:
    assert "invisible characters" in (class_name_error(name) or "")
    assert quote(name).isprintable()


def test_two_names_that_differ_only_by_joiners(tmp_path: Path) -> None:
    members = {f"{folder}/{n}.png": picture(n) for folder in (WANT, WANT.replace("\u200c", "")) for n in range(3)}
    with pytest.raises(InvalidDatasetError, match="differ only by invisible characters"):
        found(write(tmp_path / "z.zip", members))
