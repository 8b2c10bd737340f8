"""The page of a sheet: whole, in order, self-contained, and no name in it acts."""

import re
from dataclasses import replace

import pytest

from tests.export.evidence.small_reports import NASTY, few_test_images, small_report
from tests.export.test_html_report import Reader
from unlearn_core.domain.report import Report
from unlearn_core.export.evidence.evidence_folder import evidence_files


def page(report: Report) -> str:
    return evidence_files(report, None)["sheet.html"].decode()


def test_it_has_every_part_in_order(written: dict[str, bytes]) -> None:
    text = written["sheet.html"].decode()
    assert re.findall(r"<h(\d)>", text) == ["1", "2", "2", "3", "3", "3", "2", "2", "2", "2", "2"]
    read = Reader(text)
    parts = ["Request", "Verdicts", "What was tested", "What was not tested", "What no such test can prove"]
    parts += ["Fingerprints (SHA-256)", "How to verify it"]
    places = [read.text.index(part) for part in parts]
    assert places == sorted(places)
    for words in (
        "Relearning",
        "Membership inference",
        "Reference models",
        "Shadow models",
        "Challenge score",
        "Linear probe",
        "Similarity",
    ):
        assert words in read.text
    assert read.text.count("Measured in the run, not recomputed by verify.") == 4
    assert "Repeats from other seeds: The run was not repeated." in read.text


def test_names_of_others_stay_text(written: dict[str, bytes]) -> None:
    text = written["sheet.html"].decode()
    assert "<b>ca" not in text
    assert "<i>sharp" not in text
    assert "<b>classifier" not in text
    assert NASTY.split("\x1b")[0].strip() in " ".join(Reader(text).words)
    kinds = {tag for tag, _ in Reader(text).elements}
    assert not kinds & {"script", "img", "a", "iframe", "link"}


def test_nothing_is_loaded(written: dict[str, bytes]) -> None:
    text = written["sheet.html"].decode()
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text
    assert not [own for _, own in Reader(text).elements if {"src", "href"} & own.keys()]


def test_few_images_are_counted() -> None:
    text = Reader(page(few_test_images(small_report(8)))).text
    assert re.search(r"Retain set, test \(\d\) \d of \d", text)


def test_the_mean_of_the_retrained_models_is_beside_the_first() -> None:
    """The difference is to the mean, so both are shown."""
    text = Reader(page(small_report(2, twin=True))).text
    assert re.search(r"Retain set, test \(\d+\) .* mean of all: \d+\.\d %", text)
    assert "another: " in text
    assert "Weights of the second retrained model" in text
    assert "mean of all" not in Reader(page(small_report(1))).text


def test_without_a_retrained_model_the_difference_is_to_others() -> None:
    text = Reader(page(small_report(3, gold=False))).text
    assert "to the original" in text
    assert "to none" in text
    assert "Comparison with a retrained model: It is being trained & takes long." in text


def test_a_long_command_is_left_to_the_json() -> None:
    report = small_report(1)
    spec = report.spec.model_copy(update={"params": {f"setting_{number}": number for number in range(80)}, "start": 3})
    text = Reader(page(replace(report, spec=spec))).text
    assert "The command that runs it again is in sheet.json." in text
    assert "Hyperparameters: setting_0 0, setting_1 1" in text
    assert "This run continues run 3" in text


@pytest.mark.parametrize("gold", [True, False])
def test_classes_that_differ_are_named(gold: bool) -> None:
    report = small_report(1, gold=gold)
    logits = report.evaluations["after"].logits.copy()
    logits[:, 0] -= 30  # No disc is recognised any more.
    broken = report.evaluations["after"]._replace(logits=logits)
    text = Reader(page(replace(report, evaluations={**report.evaluations, "after": broken}))).text
    assert re.search(r"2 classes compared: disc −\d+\.\d points .*lower by more than 3 points", text)
