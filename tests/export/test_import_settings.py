"""Settings come back in from a spec or an archive; everything hostile is refused with a sentence, and quickly."""

import io
import json
import struct
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, strategies
from hypothesis import settings as drawn

from tests.pages.finished_runs import by_class, by_picture
from unlearn_core.domain.errors import InvalidRequestError, UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.export import import_settings
from unlearn_core.export.import_settings import read_spec

GOOD = by_class().model_dump_json().encode()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "/").replace("_json", ".json"), data)
    return buffer.getvalue()


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(GOOD) | fields).encode()


def of(**fields: object) -> bytes:
    request = json.loads(GOOD)["request"]
    return changed(request=request | fields)


@pytest.mark.parametrize("spec", [by_class(), by_picture()])
def test_a_spec_and_an_archive_come_back_as_they_were(spec) -> None:
    text = spec.model_dump_json(indent=1).encode()
    assert read_spec(text) == spec
    assert read_spec(zipped(spec_json=text, report__report_json=b"{}")) == spec
    assert read_spec(zipped(folder__spec_json=text)) == spec


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "neither settings"),
    "not JSON": (b"\x89PNG\r\n", "neither settings"),
    "deep": (b"[" * 1_000_000, "neither settings|not the settings"),
    "a list": (b"[]", "These are not the settings of a run"),
    "no fields": (b"{}", "These are not the settings of a run"),
    "another kind": (changed(kind="gold"), "not the settings of a run: kind"),
    "a field too many": (changed(code="import os"), "not the settings of a run: code"),
    "a seed out of range": (changed(seed=-1), "not the settings of a run: seed"),
    "on from a run": (changed(start=3), "continue run 3"),
    "no such data set": (of(dataset="lost"), "There is no data set called 'lost'"),
    "a path for a data set": (of(dataset="../../etc/passwd"), "There is no data set"),
    "no such class": (of(forget={"kind": "classes", "classes": [99]}), "does not have"),
    "a class below zero": (of(forget={"kind": "classes", "classes": [-1]}), "does not have"),
    "no such picture": (of(forget={"kind": "images", "images": [10**9]}), "does not have"),
    "an endless name": (changed(method="x" * 10_000), "longer than any valid name"),
    "an endless knob": (changed(params={"x" * 10_000: 1}), "longer than any valid name"),
    "too large": (b" " * (import_settings.MAX_SPEC_BYTES + 1), "larger than 2 MB"),
    "an archive without": (zipped(other_json=GOOD), "contains no spec.json"),
    "an archive with two": (zipped(a__spec_json=GOOD, b__spec_json=GOOD), "settings of 2 runs"),
    "an archive cut off": (zipped(spec_json=GOOD)[:-30], "cut off|damaged"),
    "a bomb": (zipped(spec_json=b" " * (300 * 2**20)), "larger than 2 MB"),
    "an archive of many": (zipped(**{f"m{number}": b"" for number in range(2_500)}), "more than 2,000 files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_wrong_is_refused_with_a_sentence(name: str) -> None:
    data, said = HOSTILE[name]
    start = time.perf_counter()
    with pytest.raises(UnlearnError, match=said) as refused:
        read_spec(data)
    assert time.perf_counter() - start < 2
    assert len(str(refused.value)) < 400
    assert str(refused.value).endswith(".")


def test_an_upload_that_is_too_large_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_settings, "MAX_UPLOAD_BYTES", len(GOOD) - 1)
    with pytest.raises(InvalidRequestError, match="larger than"):
        read_spec(GOOD)


def _encrypted(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[6] |= 1
    at = data.rindex(b"PK\x01\x02")
    changed[at + 8] |= 1
    return bytes(changed)


def _flipped(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[60] ^= 0xFF
    return bytes(changed)


def _listing_of_gigabytes(data: bytes) -> bytes:
    return data[:-10] + struct.pack("<I", 2**31) + data[-6:]


def _zip64(data: bytes) -> bytes:
    at = data.rindex(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 10**6, 10**6, 2**30, 0)
    return data[:at] + record + b"PK\x06\x07" + struct.pack("<IQI", 0, at, 1) + data[at:]


@pytest.mark.parametrize("harm", [_encrypted, _flipped, _listing_of_gigabytes, _zip64])
def test_an_archive_that_was_tampered_with_is_refused(harm: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InvalidRequestError, match="archive"):
        read_spec(harm(zipped(spec_json=GOOD)))


@given(place=strategies.integers(0, 500), byte=strategies.integers(0, 255), archive=strategies.booleans())
@drawn(max_examples=200, deadline=None)
def test_any_changed_byte_gives_settings_or_a_sentence(place: int, byte: int, archive: bool) -> None:
    data = bytearray(zipped(spec_json=GOOD) if archive else GOOD)
    data[place % len(data)] = byte
    with suppress(UnlearnError):  # Anything else that is raised fails the test.
        assert isinstance(read_spec(bytes(data)), UnlearnSpec)
