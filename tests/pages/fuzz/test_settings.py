"""Settings from files, archives and the environment: used or refused with a sentence; nothing is written outside."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.pages.finished_runs import by_class, by_picture
from tests.pages.fuzz.hostile import changed, few_and_many, texts, try_all
from tests.pages.fuzz.written_files import written_outside
from unlearn_core import settings as module
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.export.import_settings import read_spec
from unlearn_core.ui.shell import run_setup

GOOD = [json.loads(spec.model_dump_json()) for spec in (by_class(), by_picture())]


def _file(value: Any, names: list[str], cut: int, flip: int) -> bytes:
    """Settings as they are, or in an archive under these names; perhaps cut off, or with a changed byte."""
    text = json.dumps(value).encode()
    if names:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for name in names:
                file.writestr(zipfile.ZipInfo(name), text)
        text = buffer.getvalue()
    data = bytearray(text[: len(text) - cut] if cut else text)
    if flip and data:
        data[flip % len(data)] ^= 0x5A
    return bytes(data)


def _refusal(reading: Callable[[], object]) -> str:
    """The sentence of a refusal, "" if there is none; anything else that is raised fails the test."""
    try:
        reading()
    except UnlearnError as problem:
        return str(problem)
    return ""


names = st.lists(
    st.sampled_from(["spec.json", "report/spec.json", "../../spec.json", "/spec.json"]) | texts.filter(bool),
    max_size=2,
    unique=True,
)
rarely = st.just(0) | st.just(0) | st.integers(1, 400)
files = st.builds(_file, st.sampled_from(GOOD) | changed(st.sampled_from(GOOD)), names, rarely, rarely)


@few_and_many(quick=50, many=1_400)
def test_a_file_with_settings_is_used_or_refused(examples: int, home: Path) -> None:
    def check(data: bytes) -> None:
        with written_outside(home) as outside:
            said = _refusal(lambda: run_setup.to_params(run_setup.from_spec(read_spec(data))))
        assert len(said) < 500 and "Traceback" not in said
        assert not outside

    try_all(examples, check, files)


@few_and_many(quick=26, many=400)
def test_a_variable_is_used_or_refused(examples: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(name: str, text: str) -> None:
        with monkeypatch.context() as patch, written_outside(home) as outside:
            patch.setenv(module.variable(name), text)
            said = _refusal(module.settings)
            module.is_sign_in_required()
        assert said == "" or (module.variable(name) in said and len(said) < 500)
        assert not outside

    usable = texts.filter(lambda text: "\0" not in text and len(os.fsencode(text)) < 5_000)
    try_all(examples, check, st.sampled_from(sorted(module.Settings.model_fields)), usable)
