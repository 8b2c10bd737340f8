"""A sheet says what the report says, and all of it follows from the outputs that are stored beside it."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.evidence.conftest import put
from tests.export.evidence.small_reports import few_test_images, pixels, small_report
from unlearn_core.charts.text.verdict import verdicts
from unlearn_core.cli.verify import recompute_sheet
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.report import Report
from unlearn_core.export.evidence import evidence_folder
from unlearn_core.export.evidence.build_sheet import build_sheet
from unlearn_core.export.evidence.evidence_folder import evidence_files, read_sheet, zipped
from unlearn_core.export.evidence.fingerprints import fingerprints
from unlearn_core.export.evidence.sheet import EvidenceSheet
from unlearn_core.export.evidence.sheet_checks import Check, check_sheet


def checked(report: Report, folder: Path) -> list[Check]:
    """What is found in the sheet of a report."""
    files = evidence_files(report, pixels(report))
    sheet = read_sheet(put(files, folder))
    return check_sheet(sheet, recompute_sheet(folder), files["sheet.html"])


def differing(checks: list[Check]) -> list[str]:
    return [one.id for one in checks if one.state == "differs"]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(lambda: small_report(1), id="one retrained model"),
        pytest.param(lambda: small_report(2, twin=True), id="two retrained models"),
        pytest.param(lambda: small_report(2, further=True), id="outputs of two more"),
        pytest.param(lambda: small_report(2, twin=True, further=True), id="a second one, and its outputs"),
        pytest.param(lambda: small_report(3, gold=False), id="none"),
        pytest.param(lambda: small_report(4, images=20), id="images"),
        pytest.param(lambda: small_report(5, images=2, gold=False), id="two images, no retrained model"),
        pytest.param(lambda: small_report(6, measured=False), id="nothing but outputs"),
        pytest.param(lambda: few_test_images(small_report(8)), id="few test images"),
    ],
)
def test_generated_reports_verify(report, tmp_path: Path) -> None:
    made: Report = report()
    checks = checked(made, tmp_path / "sheet")
    assert not differing(checks)
    by_state = {one.id: one.state for one in checks if one.kind == "figure"}
    assert by_state["accuracy/retain_test/after"] == "agrees"
    assert ("relearning/after" in by_state) == ("relearn" in made.parts)
    assert {state for name, state in by_state.items() if name.startswith(("relearning", "shadow"))} <= {"from the run"}


def test_the_sheet_has_the_words_of_the_report(folder: Path) -> None:
    sheet = read_sheet(folder)
    cards = [(one.title, one.words.replace("\N{NO-BREAK SPACE}", " ")) for one in verdicts(small_report())]
    assert [(one.title, one.words) for one in sheet.verdicts] == cards
    assert {one.evidence for one in sheet.claims} == {
        *("accuracy", "relearning", "membership inference", "shadow models", "challenge score", "linear probe"),
        *("reference models", "membership of retained images"),
    }
    assert {"accuracy", "accuracy by class", "relearning", "similarity", "copies"} <= {
        one.evidence for one in sheet.figures
    }


def test_the_mean_of_the_retrained_models_is_in_the_sheet() -> None:
    figures = {one.id: one for one in build_sheet(small_report(2, further=True), ()).figures}
    after = figures["accuracy/retain_test/after"].value
    mean = figures["accuracy/retain_test/mean of retrained"].value
    assert after is not None
    assert mean is not None
    assert figures["difference/retain_test/after-gold"].value == pytest.approx(after - mean)
    one = {own.id for own in build_sheet(small_report(1), ()).figures}
    assert "accuracy/retain_test/mean of retrained" not in one


def test_features_are_evidence_where_they_were_compared() -> None:
    twin, one = (build_sheet(small_report(number, twin=number == 2), ()) for number in (2, 1))
    assert {own.source for own in twin.figures if own.evidence == "representation"} == {"run"}
    assert "representation" in {own.evidence for own in twin.claims}
    assert "representation" not in {own.what for own in twin.untested}
    assert "representation" in {own.what for own in one.untested}


def test_what_was_not_tested_is_said(tmp_path: Path) -> None:
    bare = small_report(3, gold=False, measured=False)
    put(evidence_files(bare, None), tmp_path / "sheet")
    untested = {one.what: one.reason for one in read_sheet(tmp_path / "sheet").untested}
    assert untested["comparison with a retrained model"] == "It is being trained & takes long."
    assert {"relearning", "shadow models", "challenge score", "repeats from other seeds"} <= untested.keys()
    assert "membership inference" not in untested
    assert untested["reference models"] == "There is no retrained model to compare with."
    assert "membership of retained images" not in untested


def test_attacks_with_reference_models_are_recomputed_with_all_that_there_are() -> None:
    for kinds, number in (({}, 1), ({"twin": True}, 1), ({"further": True}, 2), ({"twin": True, "further": True}, 2)):
        figures = {own.id: own for own in build_sheet(small_report(2, **kinds), ()).figures}
        one = figures["reference models/AUC/after"]
        assert one.what == f"AUC with {number} reference model{'s' if number > 1 else ''}"
        assert one.source == "outputs" and one.low is not None and one.high is not None
        assert ("reference models/difference/after-gold" in figures) == bool(kinds)
        assert "membership of retained images/found/after" in figures


def test_anyone_can_compute_a_figure_from_the_file(written: dict[str, bytes]) -> None:
    """Without the lab: an accuracy, and a difference with its exact McNemar test."""
    array = np.load(io.BytesIO(written["outputs.npz"]), allow_pickle=False)
    figures = {one["id"]: one for one in json.loads(written["sheet.json"])["figures"]}
    rows = array["split/retain_test"]
    after, before = (array[f"logits/{model}"][rows].argmax(1) == array["labels"][rows] for model in ("after", "before"))
    assert figures["accuracy/retain_test/after"]["value"] == pytest.approx(after.mean())
    found = figures["difference/retain_test/after-before"]
    assert found["value"] == pytest.approx(after.mean() - before.mean())
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    binomial = np.array([1.0])
    for _ in range(lost + gained):
        binomial = (np.append(binomial, 0) + np.append(0, binomial)) / 2
    assert found["p"] == pytest.approx(min(1, 2 * binomial[: min(lost, gained) + 1].sum()))
    assert found["margin"] == 0.03


def test_the_same_report_gives_the_same_outputs() -> None:
    report = small_report(1)
    again = evidence_files(report, None)
    assert evidence_files(report, None)["outputs.npz"] == again["outputs.npz"]
    with zipfile.ZipFile(io.BytesIO(zipped(again, folder="evidence-7"))) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"evidence-7/{name}" for name in again}


def test_a_data_set_that_is_not_here_is_not_compared(written: dict[str, bytes], recomputed: EvidenceSheet) -> None:
    """The tests' data set is on no machine: the sheet has its fingerprint, and nothing is held against it."""
    sheet = EvidenceSheet.model_validate_json(written["sheet.json"])
    checks = {one.id: one for one in check_sheet(sheet, recomputed, written["sheet.html"])}
    assert checks["data/images"].state == checks["data/forget images"].state == "not compared"
    assert checks["data/labels"].state == "agrees"


def test_other_images_under_the_same_name_differ() -> None:
    report = small_report(1)
    images = pixels(report)
    one, other = (
        fingerprints(report, image_dataset=images._replace(images=images.images + np.uint8(add)), files={})
        for add in (0, 1)
    )
    changed = {ours.id for ours, theirs in zip(one, other, strict=True) if ours != theirs}
    assert changed == {"data/images", "data/forget images"}
    few = images._replace(images=images.images[:10])
    assert {own.id for own in fingerprints(report, image_dataset=few, files={}) if own.note} == {"data/forget images"}


@pytest.mark.parametrize(("model", "title"), [("after", "unlearned"), ("gold", "retrained")])
def test_without_all_outputs_there_is_no_sheet(model: str, title: str) -> None:
    report = small_report(1)
    left = {name: own for name, own in report.evaluations.items() if name != model}
    with pytest.raises(StoreError, match=f"The outputs of the {title} model are no longer stored"):
        evidence_files(replace(report, evaluations=left), None)


def test_outputs_of_a_size_that_cannot_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_folder, "MAX_OUTPUT_BYTES", 1000)
    with pytest.raises(StoreError, match="too much for a sheet"):
        evidence_files(small_report(1), None)
