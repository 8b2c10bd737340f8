"""The measurement of corrective unlearning: which runs it makes, what a row says, and the page about it."""

import numpy as np
import pytest

from tests.charts.fake_curves import interclass_confusion
from tests.charts.fake_reports import made_up_report
from unlearn_core.benchmarks.reproduction import corrective_runs
from unlearn_core.benchmarks.reproduction.corrective_section import corrective_page, finding
from unlearn_core.methods import methods


def row(method: str = "ssd", known: str = "all", **changes: str) -> dict[str, str]:
    report = made_up_report(images=True).with_result(interclass_confusion((0.4, 0.5, 0.6)))
    made = {"key": "k", "method": method, "known": known, **corrective_runs.figures(report), "device": "CPU"}
    return {name: str(value) for name, value in made.items()} | changes


def test_every_method_that_can_forgets_all_and_half_and_those_of_the_paper_come_first() -> None:
    cases = list(corrective_runs.cases().values())
    able = {name for name, method in methods().items() if "images" in method.supports} - {"retrain"}
    assert {case.method for case in cases} == able and len(cases) == 2 * len(able)
    assert tuple(case.method for case in cases[:8:2]) == corrective_runs.FIRST
    sizes = {case.known: len(case.spec.request.forget.images) for case in cases}  # pyright: ignore[reportAttributeAccessIssue]
    assert sizes == {"all": 800, "half": 400}


def test_a_row_has_what_the_report_says() -> None:
    report = made_up_report(images=True).with_result(interclass_confusion((0.4, 0.5, 0.6)))
    found = corrective_runs.figures(report)
    assert set(found) == set(corrective_runs.COLUMNS) - {"key", "method", "known", "device"}
    assert [found[f"accuracy_{model}"] for model in ("before", "after", "gold")] == [0.4, 0.5, 0.6]
    rows = report.split.retain_test[~np.isin(report.labels[report.split.retain_test], [3, 5])]
    right = report.evaluations["gold"].logits[rows].argmax(1) == report.labels[rows]
    assert found["others_gold"] == pytest.approx(right.mean(), abs=1e-5)
    assert (found["to_original"], found["to_retrained"], found["can_come_back"]) == ("higher", "lost", 1)


@pytest.mark.parametrize(
    ("to_original", "to_retrained", "can", "words"),
    [
        ("higher", "equal", "1", "came back"),
        ("higher", "unclear", "1", "rises, and no difference from retraining is shown"),
        ("higher", "lower", "1", "came back in part"),
        ("unclear", "lost", "1", "did not come back"),
        ("lower", "lost", "1", "fell"),
        ("lost", "lost", "1", "fell"),
        ("unclear", "unclear", "1", "cannot tell"),
        ("higher", "equal", "0", "retraining raises nothing"),
    ],
)
def test_what_the_paired_tests_show_is_put_in_words(to_original: str, to_retrained: str, can: str, words: str) -> None:
    changes = {"to_original": to_original, "to_retrained": to_retrained, "can_come_back": can}
    assert finding(row(**changes)) == words


def test_the_page_has_a_table_for_all_and_for_half() -> None:
    page = corrective_page([row(), row("finetune"), row(known="half")])
    whole, half = page.split("## Only half of them are known")
    assert "| SSD | 50.0 % |" in whole and "| *retrained* | 60.0 % |" in whole and "came back in part" in half
    assert "the classifier is right about 40.0 % of the test images" in whole
    assert "Of 2 methods, by finding: came back in part: 2." in whole
    assert corrective_page([]).count("Not measured yet") == 3
