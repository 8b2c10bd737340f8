"""Fuzzed variants of zips as people make them: each is read, or refused with a sentence; nothing else happens."""

import ast
import io
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.zips import deep_png, encoded, faces, picture, write, write_named
from unlearn_core.__main__ import main
from unlearn_core.data import user_catalog

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
Ask = Callable[[bytes, str], str]


def _valid(folder: Path) -> list[bytes]:
    """Zips that are read: with splits, a table, names in GBK, backslashes, deep pixels, and every format."""
    rows = "\n".join(["image,label", *(f"{n}.png,{'ab'[n % 2]}" for n in range(6))])
    several = {f"{who}/{n}.{kind}": picture(n, kind=kind) for who in "ab" for n, kind in enumerate(KINDS)}
    deep = {f"{who}/{n}.png": deep_png(np.full((9, 9, 3), 900 * n + 1)) for who in "ab" for n in range(3)}
    deep |= {f"{who}/{n}.tif": encoded(Image.new("F", (9, 9), n), "TIFF") for who in "ab" for n in range(3)}
    file = folder / "valid.zip"
    every = [
        write(file, faces(2, 3)).read_bytes(),
        write(file, several).read_bytes(),
        write(file, deep, zipfile.ZIP_DEFLATED).read_bytes(),
        write(file, {f"all/{n}.png": picture(n) for n in range(6)} | {"labels.csv": rows.encode()}).read_bytes(),
        write(
            file, {f"{s}/{path}": data for s in ("train", "test") for path, data in faces(2, 3).items()}
        ).read_bytes(),
        write(file, {path.replace("/", "\\"): data for path, data in faces(2, 3).items()}).read_bytes(),
    ]
    names = {f"{a}/{n}.png".encode("gbk"): picture(n) for a in "红绿" for n in range(3)}
    return [*every, write_named(file, names).read_bytes()]


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return _valid(tmp_path_factory.mktemp("valid"))


class Server:
    """A limited process that reads zips; if one kills it, another is started for the next."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.process: subprocess.Popen[str] | None = None

    def ask(self, data: bytes, encoding: str) -> str:
        """What becomes of a zip whose names are read in an encoding."""
        self.file.write_bytes(data)
        if self.process is None:
            command, pipe = [sys.executable, "-m", "tests.data.zip_server"], subprocess.PIPE
            self.process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self.process.stdin and self.process.stdout
        print(encoding, self.file, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if line:
            return ast.literal_eval(line)
        why = f"The process died: {self.process.communicate()[1][-2000:]}"
        self.process = None
        print(why)  # So that it is told even where shrinking fails.
        raise AssertionError(why)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    server = Server(tmp_path_factory.mktemp("fuzzed") / "z.zip")
    yield server.ask
    server.close()


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """These bytes with some of them changed, left out or repeated; also near the end, where a zip has its list."""
    for _ in range(draw(st.integers(1, 4))):
        near = draw(st.booleans())
        place = draw(st.integers(max(0, len(data) - 400) if near else 0, max(0, len(data) - 1)))
        match draw(st.sampled_from(("flip", "flip", "cut", "leave out", "repeat", "insert"))):
            case "flip":
                data = data[:place] + bytes([draw(st.integers(0, 255))]) + data[place + 1 :]
            case "cut":
                data = data[:place]
            case "leave out":
                data = data[:place] + data[place + draw(st.integers(1, 40)) :]
            case "repeat":
                data = data[:place] + data[max(0, place - draw(st.integers(1, 40))) :]
            case _:
                data = data[:place] + draw(st.binary(min_size=1, max_size=12)) + data[place:]
    return data


@st.composite
def variant(draw: st.DrawFn, data: bytes) -> bytes:
    """A zip with changed bytes, or one whose members have other names or changed contents, packed anew."""
    if draw(st.booleans()):
        return draw(changed(data))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        entries = old.infolist()
        hit = {draw(st.integers(0, len(entries) - 1)) for _ in range(draw(st.integers(1, 3)))}
        for number, entry in enumerate(entries):
            name, content = entry.filename, old.read(entry)
            if number in hit and draw(st.booleans()):
                name = draw(
                    st.one_of(st.text(max_size=30), st.sampled_from((name.upper(), f"x/{name}", f"{name}.csv")))
                )
            elif number in hit:
                content = draw(changed(content))
            info = zipfile.ZipInfo("x")
            info.filename = "".join(one for one in name if not "\ud800" <= one <= "\udfff")
            with warnings.catch_warnings(action="ignore"):  # Of two members of one name.
                new.writestr(info, content)
    return buffer.getvalue()


def check(said: str) -> None:
    what, _, rest = said.partition(" ")
    assert what in ("read", "refused")
    if what == "refused":
        assert rest.endswith(".") and len(rest) < 700 and rest == " ".join(rest.split()), rest
        assert not any(one in rest for one in ("Traceback", "\u202e", "\0")), rest


@pytest.mark.slow
def test_the_zips_are_read_as_they_are(ask: Ask, valid: list[bytes]) -> None:
    assert [ask(data, "gb18030") for data in valid] == [
        "read 6",
        "read 14",
        "read 12",
        "read 6",
        "read 12",
        *["read 6"] * 2,
    ]


@pytest.mark.slow
@settings(max_examples=990, deadline=None, suppress_health_check=SLOW)
@given(data=st.data(), number=st.integers(0, 6), encoding=st.sampled_from(("utf-8", "gb18030")))
def test_a_fuzzed_zip_is_read_or_refused_with_a_sentence(
    ask: Ask, valid: list[bytes], data: st.DataObject, number: int, encoding: str
) -> None:
    check(ask(data.draw(variant(valid[number])), encoding))


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=SLOW, database=None)
@given(data=st.data(), number=st.integers(0, 6))
def test_some_go_the_whole_way(
    home: Path, capsys: pytest.CaptureFixture[str], valid: list[bytes], data: st.DataObject, number: int
) -> None:
    file = home / "z.zip"
    file.write_bytes(data.draw(variant(valid[number])))
    code = main(["datasets", "add", "zip", "--file", str(file), "--size", "16", "--encoding", "gbk"])
    said = capsys.readouterr()
    assert code in (0, 2)
    assert "is ready" in said.out if code == 0 else said.err.strip().endswith((".", ". Known: none."))
    for name in user_catalog.dataset_cards():
        assert main(["datasets", "remove", name]) == 0 and main(["datasets", "delete", name]) == 0
    assert not list((home / "uploads").iterdir())
