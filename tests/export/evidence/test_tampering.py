"""Whatever is changed after a sheet was made is found, and named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearn_core.__main__ import main
from unlearn_core.data.atomic_files import sha256
from unlearn_core.export.evidence.sheet import EvidenceSheet
from unlearn_core.export.evidence.sheet_checks import check_sheet
from unlearn_core.store.files.plain_arrays import arrays_from_bytes, arrays_to_bytes

Said = pytest.CaptureFixture[str]
Change = Callable[[dict[str, Any]], object]


def change_sheet(folder: Path, change: Change) -> None:
    sheet = json.loads((folder / "sheet.json").read_text())
    change(sheet)
    (folder / "sheet.json").write_text(json.dumps(sheet))


def change_outputs(folder: Path, change: Callable[[dict[str, np.ndarray]], object], *, hide: bool = False) -> None:
    """Change arrays; with `hide` the sheet gets the new file's fingerprint."""
    arrays = {name: array.copy() for name, array in arrays_from_bytes((folder / "outputs.npz").read_bytes()).items()}
    change(arrays)
    data = arrays_to_bytes(arrays)
    (folder / "outputs.npz").write_bytes(data)
    if hide:
        hide_file(folder, "outputs.npz", data)


def hide_file(folder: Path, name: str, data: bytes) -> None:
    change_sheet(folder, lambda sheet: one(sheet["fingerprints"], f"file/{name}").update(sha256=sha256(data)))


def one(listed: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(own for own in listed if own["id"] == name)


class Tampered:
    """A sheet in which something was changed, beside what follows from the outputs."""

    def __init__(self, written: dict[str, bytes], recomputed: EvidenceSheet) -> None:
        self.written, self.recomputed = written, recomputed

    def differing(self, change: Change) -> list[str]:
        """The ids of what differs, except for the page, which no longer shows what the sheet says."""
        sheet = json.loads(self.written["sheet.json"])
        change(sheet)
        changed = EvidenceSheet.model_validate(sheet)
        checks = check_sheet(changed, self.recomputed, self.written["sheet.html"])
        return [own.id for own in checks if own.state == "differs" and own.id != "file/sheet.html"]


@pytest.fixture
def tampered(written: dict[str, bytes], recomputed: EvidenceSheet) -> Tampered:
    return Tampered(written, recomputed)


def differing(folder: Path, capsys: Said) -> list[str]:
    """The ids that the command names as differing."""
    assert main(["verify", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    return next(line for line in lines if line.startswith("DIFFERS: ")).removeprefix("DIFFERS: ")[:-1].split(", ")


def test_an_unchanged_sheet_agrees(folder: Path, capsys: Said) -> None:
    assert main(["verify", str(folder)]) == 0
    assert "Nothing differs." in capsys.readouterr().out


@pytest.mark.parametrize("key", ["value", "low", "high", "p", "p_margin", "margin", "level"])
def test_a_changed_number(tampered: Tampered, key: str) -> None:
    name = "difference/retain_test/after-gold"
    assert tampered.differing(lambda sheet: one(sheet["figures"], name).update({key: 0.0123456})) == [name]
    assert not tampered.differing(lambda sheet: one(sheet["figures"], name).update({}))


@pytest.mark.parametrize(
    ("figure", "change"),
    [
        ("difference/retain_test/after-gold", {"finding": "beyond doubt"}),
        ("accuracy/retain_test/after", {"value": None}),
        ("accuracy/retain_test/after", {"images": 12_000}),
        ("accuracy/retain_test/after", {"source": "run"}),
        ("membership/loss/after", {"value": 0.5}),
        ("relearning/after", {"value": 32}),
    ],
)
def test_other_parts_of_a_figure(tampered: Tampered, figure: str, change: dict[str, Any]) -> None:
    assert tampered.differing(lambda sheet: one(sheet["figures"], figure).update(change)) == [figure]


def test_figures_that_are_left_out_added_or_there_twice(tampered: Tampered) -> None:
    def change(sheet: dict[str, Any]) -> None:
        figures = sheet["figures"]
        figures.remove(one(figures, "accuracy/retain_test/after"))
        figures += [one(figures, "distance/before"), one(figures, "distance/after") | {"id": "distance/other"}]

    assert set(tampered.differing(change)) == {"accuracy/retain_test/after", "distance/before", "distance/other"}


def test_both_numbers_are_printed(folder: Path, capsys: Said) -> None:
    change_sheet(folder, lambda sheet: one(sheet["figures"], "distance/after").update(value=0.123456789))
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "in the sheet: 0.123456789" in said
    assert "recomputed:   0." in said


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("verdict/1", lambda sheet: sheet["verdicts"][0].update(title="forgotten")),
        ("verdict/2", lambda sheet: sheet["verdicts"][1].update(words="All is well.")),
        ("claim/1", lambda sheet: sheet["claims"][0].update(words="accuracy finds nothing")),
        ("claim/8", lambda sheet: sheet["claims"].pop()),
        ("limit/1", lambda sheet: sheet["limits"].__setitem__(0, "It proves everything.")),
        ("warning/1", lambda sheet: sheet["warnings"].__setitem__(0, "None.")),
        ("not tested/1", lambda sheet: sheet["untested"][0].update(reason="It was.")),
        ("request/seed", lambda sheet: sheet["request"].update(seed=99)),
        ("request/method", lambda sheet: sheet["request"].update(method="Retraining")),
        ("weights/gold", lambda sheet: one(sheet["fingerprints"], "weights/gold").update(sha256="0" * 64)),
        ("data/labels", lambda sheet: one(sheet["fingerprints"], "data/labels").update(sha256="0" * 64)),
    ],
)
def test_a_changed_word_or_fingerprint(tampered: Tampered, name: str, change: Change) -> None:
    assert tampered.differing(change) == [name]


def flip(arrays: dict[str, np.ndarray]) -> None:
    rows = arrays["split/retain_test"]
    arrays["logits/after"][rows] = -arrays["logits/after"][rows]


@pytest.mark.parametrize("hide", [False, True])
def test_changed_logits(folder: Path, capsys: Said, hide: bool) -> None:
    change_outputs(folder, flip, hide=hide)
    found = differing(folder, capsys)
    assert {"accuracy/retain_test/after", "difference/retain_test/after-gold", "verdict/2"} <= set(found)
    assert ("file/outputs.npz" in found) == (not hide)


def test_a_single_logit(folder: Path, capsys: Said) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["logits/before"][0, 0] += 1e-3

    change_outputs(folder, change)
    assert "file/outputs.npz" in differing(folder, capsys)


@pytest.mark.parametrize("hide", [False, True])
def test_changed_labels(folder: Path, capsys: Said, hide: bool) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        rows = arrays["split/retain_test"]
        arrays["labels"][rows] = 2 - arrays["labels"][rows]  # Discs and rings; the forgotten class stays.

    change_outputs(folder, change, hide=hide)
    found = differing(folder, capsys)
    assert {"accuracy/retain_test/after", "data/labels"} <= set(found)
    assert ("file/outputs.npz" in found) == (not hide)


def test_a_changed_record_of_the_run(folder: Path, capsys: Said) -> None:
    path = folder / "run.json"
    path.write_text(path.read_text().replace('"Fine-tune"', '"Retraining"'))
    assert {"request/method", "file/run.json"} <= set(differing(folder, capsys))


def test_a_measured_result_is_compared_with_its_record(folder: Path, capsys: Said) -> None:
    path = folder / "run.json"
    run = json.loads(path.read_text())
    run["facts"]["relearn"]["models"]["after"]["time"] = 25
    data = json.dumps(run).encode()
    path.write_bytes(data)
    hide_file(folder, "run.json", data)
    assert "relearning/after" in differing(folder, capsys)


@pytest.mark.parametrize("hide", [False, True])
def test_a_changed_page(folder: Path, capsys: Said, hide: bool) -> None:
    page = (folder / "sheet.html").read_text().replace("Evidence sheet", "Certificate", 1).encode()
    (folder / "sheet.html").write_bytes(page)
    if hide:
        change_sheet(folder, lambda sheet: sheet["files"].update({"sheet.html": sha256(page)}))
    assert differing(folder, capsys) == ["file/sheet.html"]


@pytest.mark.parametrize("name", ["run.json", "outputs.npz", "sheet.html"])
def test_a_missing_file(folder: Path, capsys: Said, name: str) -> None:
    (folder / name).unlink()
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert f"{name} is missing. Nothing could be recomputed." in said


def test_the_code_of_another_release_is_no_difference(folder: Path, capsys: Said) -> None:
    def change(sheet: dict[str, Any]) -> None:
        one(sheet["fingerprints"], "code/source").update(sha256="0" * 64)
        sheet["files"]["sheet.html"] = sha256((folder / "sheet.html").read_bytes())

    change_sheet(folder, change)
    assert main(["verify", str(folder)]) == 0
    assert "Not compared on this machine: " in (said := capsys.readouterr().out)
    assert "code/source" in said
