"""A folder from a stranger is answered with a sentence, whatever it holds, and nothing in it is executed."""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.evidence.test_tampering import change_outputs, change_sheet
from unlearn_core.__main__ import main
from unlearn_core.cli.verify import recompute_sheet
from unlearn_core.domain.errors import StoreError
from unlearn_core.export.evidence import evidence_folder
from unlearn_core.store.files.plain_arrays import MAX_ARRAYS, arrays_from_bytes, arrays_to_bytes

Said = pytest.CaptureFixture[str]


def refused(folder: Path, capsys: Said) -> str:
    """The sentence about a folder whose sheet can be read, and nothing else."""
    assert main(["verify", str(folder)]) == 1
    return capsys.readouterr().out


def npz(name: str, content: bytes, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray, *, claimed: str = "") -> bytes:
    """An array as a file, with another shape in its header if one is claimed."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    data = buffer.getvalue()
    return data.replace(f"'shape': {array.shape}".encode(), claimed.encode()) if claimed else data


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a zip file"),
        (b"PK\x03\x04 and no more", "not a zip file"),
        (npz("x.npy", npy(np.zeros(100_000)), compression=zipfile.ZIP_DEFLATED), "more than its size allows"),
        (npz("x.npy", npy(np.zeros(2)), compression=zipfile.ZIP_DEFLATED), "compressed"),
        (npz("x.npy", npy(np.array([Bomb()], object))), "plain numbers"),
        (npz("x.npy", npy(np.array(["text"]))), "plain numbers"),
        (npz("x.npy", npy(np.zeros(3), claimed="'shape': (999999999,)")), "not as many as it claims"),
        (npz("x.npy", npy(np.zeros(3), claimed="'shape': (-3,)")), "not as many as it claims"),
        (npz("x.npy", npy(np.zeros(3))[:-8]), "not as many as it claims"),
        (npz("x.npy", npy(np.asfortranarray(np.zeros((2, 3))))), "plain numbers"),
        (npz("x.npy", b"\x80\x04K\x01."), "magic string"),
        (npz("x.npy", b"\x93NUMPY\x03\x00\x00\x00\x00\x00"), "unknown format"),
    ],
)
def test_arrays_that_are_none(data: bytes, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        arrays_from_bytes(data)


def test_too_many_arrays() -> None:
    arrays = {str(number): np.zeros(1) for number in range(MAX_ARRAYS + 1)}
    with pytest.raises(StoreError, match="more than its size allows"):
        arrays_from_bytes(arrays_to_bytes(arrays))


def test_arrays_come_back_as_they_were() -> None:
    arrays = {
        "a/b": np.arange(6, dtype=np.int16).reshape(2, 3),
        "c": np.asfortranarray(np.eye(3)),
        "d": np.zeros((0, 2)),
    }
    found = arrays_from_bytes(arrays_to_bytes(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def set_value(name: str, row: Any, value: Any) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda arrays: arrays[name].__setitem__(row, value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_value("labels", 0, 3), "no class of the data set"),
        (set_value("labels", 0, -1), "no class of the data set"),
        (set_value("logits/after", (0, 0), np.nan), "not all finite numbers"),
        (set_value("split/retain_test", 0, 0), "does not follow from the request"),
        (lambda arrays: arrays.pop("labels"), "a label for each"),
        (lambda arrays: arrays.update(labels=arrays["labels"][:-1]), "a label for each"),
        (lambda arrays: arrays.update(labels=arrays["labels"] + 0.5), "a label for each"),
        (lambda arrays: arrays.pop("logits/gold"), "3 logits of “gold”"),
        (lambda arrays: arrays.update({"logits/gold": arrays["logits/gold"][:, :2]}), "3 logits of “gold”"),
        (lambda arrays: arrays.update({"logits/gold": np.ones((420, 3), int)}), "not all finite numbers"),
        (lambda arrays: arrays.pop("split/forget_val"), "does not follow from the request"),
    ],
)
def test_outputs_that_do_not_fit(folder: Path, change: Callable[[dict[str, np.ndarray]], object], said: str) -> None:
    change_outputs(folder, change)
    with pytest.raises(StoreError, match=re.escape(said)):
        recompute_sheet(folder)


def change_run(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    run = json.loads((folder / "run.json").read_text())
    change(run)
    (folder / "run.json").write_text(json.dumps(run))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: run.update(extra=1), "run.json is damaged: extra"),
        (lambda run: run["dataset"].update(train="many"), "run.json is damaged: dataset.train"),
        (lambda run: run["dataset"].update(train=10**15), "a label for each"),
        (lambda run: run["dataset"].update(train=-60), "a label for each"),
        (lambda run: run["spec"]["request"]["forget"].update(classes=[99]), "does not fit the labels"),
        (lambda run: run["spec"]["request"]["forget"].update(classes=[0]), "does not follow from the request"),
        (lambda run: run["weights"].update({"../../etc": "0"}), "logits of “../../etc”"),
        (lambda run: run["facts"].update({"\x1b[2J": {}}), "results that no sheet has: “\\u001b[2J”"),
        (lambda run: run["facts"]["relearn"]["models"].pop("after"), "cannot be measured (KeyError)"),
    ],
)
def test_records_that_do_not_fit(folder: Path, change: Callable[[dict[str, Any]], object], said: str) -> None:
    change_run(folder, change)
    with pytest.raises(StoreError, match=re.escape(said)):
        recompute_sheet(folder)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x00\xff", "is not JSON of an evidence sheet"),
        (b"[1, 2]", "is not JSON of an evidence sheet"),
        (b"[" * 100_000, "is not JSON of an evidence sheet"),
        (b"{}", "has the format 'None', and this release reads format 1"),
        (b'{"format": 2}', "has the format '2', and this release reads format 1"),
        (b'{"format": 1}', "sheet.json is damaged: made is not what a sheet has"),
        (b'{"format": 1, "\\u001b[2J": 1}', "sheet.json is damaged"),
    ],
)
def test_sheets_that_are_none(folder: Path, capsys: Said, data: bytes, said: str) -> None:
    (folder / "sheet.json").write_bytes(data)
    assert main(["verify", str(folder)]) == 2
    words = capsys.readouterr().err
    assert said in words
    assert "\x1b" not in words


def test_no_folder(tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "evidence.zip").write_bytes(b"PK")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "evidence.zip"):
        assert main(["verify", str(path)]) == 2
        assert "is no folder of an evidence sheet" in capsys.readouterr().err


def test_a_pipe_is_not_waited_for(folder: Path, capsys: Said) -> None:
    (folder / "outputs.npz").unlink()
    os.mkfifo(folder / "outputs.npz")
    assert "outputs.npz is missing" in refused(folder, capsys)


def test_files_that_are_too_large(folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_folder, "MAX_OUTPUT_BYTES", 1000)
    assert "is larger than 0 MB" in refused(folder, capsys)
    monkeypatch.setattr(evidence_folder, "MAX_JSON_BYTES", 10)
    assert main(["verify", str(folder)]) == 2
    assert "sheet.json is larger than" in capsys.readouterr().err


def test_a_file_that_cannot_be_read(folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.name == "run.json":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert "run.json cannot be read (Permission denied)." in refused(folder, capsys)


def test_nothing_acts_on_the_terminal(folder: Path, capsys: Said) -> None:
    """Neither the name of a class, nor what somebody writes into the sheet."""
    assert main(["verify", str(folder)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    change_sheet(folder, lambda sheet: sheet["verdicts"][0].update(title="\x1b[2J\x1b]0;x\x07"))
    said = refused(folder, capsys)
    assert "\x1b" not in said
    assert "\\u001b[2J" in said
