"""Runs beside one another: what is said to differ does, by how much, and how sure that is."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.chart import report_labels
from unlearn_core.charts.drawing.wording import SET_LABELS
from unlearn_core.charts.text import run_comparison
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.split import set_label
from unlearn_core.store.files import shipped_runs

KNOBS = {"unsir": {"lr": "Learning rate"}, "finetune": {"rate": "Learning rate", "epochs": "Epochs"}}


def with_spec(report: Report, **changes: object) -> Report:
    return replace(report, spec=report.spec.model_copy(update=changes))


def right_about(report: Report, rows: np.ndarray) -> Report:
    """The same report, its net after forgetting being right about these pictures and wrong about all others."""
    logits = np.zeros((len(report.labels), 10), np.float32)
    logits[np.arange(len(report.labels)), (report.labels + 1) % 10] = 1
    logits[rows, report.labels[rows]] = 2
    after = Evaluation("w", report.dataset.id, logits)
    return replace(report, evaluations={**report.evaluations, "after": after})


def test_only_what_differs_is_listed_and_knobs_go_by_what_they_are_called() -> None:
    first = with_spec(made_up_report(), method="unsir", params={"lr": 0.01})
    other = replace(with_spec(made_up_report(), method="finetune", params={"rate": 0.1, "epochs": 1}), method="Other")
    rows = dict(run_comparison.differing_settings([first, other], KNOBS))
    assert rows == {"Method": [first.method, "Other"], "Learning rate": ["0.01", "0.1"], "Epochs": ["–", "1"]}
    assert run_comparison.differing_settings([first, first], KNOBS) == []
    assert dict(run_comparison.differing_settings([first, with_spec(first, seed=7)], KNOBS)) == {"Seed": ["0", "7"]}


def test_different_questions_are_warned_of() -> None:
    one, other = made_up_report(), made_up_report(images=True)
    assert run_comparison.mismatch_warning([one, one]) == ""
    assert "different forget sets" in run_comparison.mismatch_warning([one, other])
    request = one.spec.request
    assert "different classifiers" in run_comparison.mismatch_warning(
        [one, with_spec(one, request=request.model_copy(update={"classifier": "another"}))]
    )
    elsewhere = with_spec(one, request=request.model_copy(update={"dataset": "another"}))
    assert "different data sets" in run_comparison.mismatch_warning([one, elsewhere])
    assert "no difference" in run_comparison.summary(one, elsewhere)
    assert "earlier run" in run_comparison.mismatch_warning([one, with_spec(one, start=3)])


def test_models_on_the_same_images_are_compared_image_by_image() -> None:
    report = made_up_report()
    rows = report.split.retain_test
    first, other = right_about(report, rows[:800]), right_about(report, rows[:900])
    found, relation = run_comparison.accuracy_differences(first, other)["retain_test"]
    assert (found.lost, found.gained, relation) == (0, pytest.approx(100), "higher")
    words = run_comparison.summary(first, other)
    assert "retain set, test: +5.6 points (+4.7 to +6.5)." in words, "what that shows is said for all runs together"
    assert "retain set, test: +0.0" not in run_comparison.summary(first, first)
    assert "forget set, test: 0.0 points (−1.8 to +1.8), equal within 3 points" in run_comparison.summary(first, first)
    assert run_comparison.RELATION_WORDS["lost"] == "lower by more than 3 points"
    (lower,) = (run_comparison.accuracy_differences(other, right_about(report, rows[:100]))["retain_test"][1],)
    assert lower == "lost"


@pytest.mark.parametrize("name", ["unsir-ship-no-noise", "random-labels-cat", "neggrad-ship"])
def test_a_set_without_outputs_is_not_compared(name: str) -> None:
    first, other = (shipped_runs.read_report(shipped_runs.named(one).id) for one in ("unsir-ship", name))
    assert not first.evaluations["after"].covers(first.split.retain_train), "such outputs do not ship"
    words = run_comparison.summary(first, other)
    assert "retain set, test: " in words and "retain set, training" not in words
    known = [one.get(AccuracyResult) for one in (first, other)]
    for part in words.rstrip(".").split("; "):
        title, _, difference = part.partition(": ")
        (key,) = (key for key, label in SET_LABELS.items() if set_label(key) == title)
        before, after = (one.scores["after"][key].accuracy for one in known if one is not None)
        assert float(difference.split(" ")[0].replace("−", "-")) == pytest.approx(100 * (after - before), abs=0.051)


def test_models_on_different_images_are_two_samples() -> None:
    one, other = made_up_report(), made_up_report(images=True)
    assert run_comparison.accuracy_differences(one, other) == {}
    first, second = right_about(one, one.split.retain_test[:900]), right_about(other, other.split.retain_test[:900])
    found = run_comparison.difference_of_samples(first, second, "retain_test")
    counts = [len(report.split.retain_test) + 2 for report in (one, other)]
    error = sum(901 / count * (1 - 901 / count) / count for count in counts)
    assert found is not None and found[2] - found[1] == pytest.approx(1.645 * np.sqrt(error), rel=1e-3)
    assert "points (−7.7 to −2.3), on different images" in run_comparison.summary(first, second)
    assert run_comparison.difference_of_samples(one, other, "forget_test") is None, "single images have no test images"
    assert "no set of images in common" in run_comparison.summary(replace(one, evaluations={}), other)


def test_figures_stand_in_one_column_a_run() -> None:
    reports = [made_up_report(), made_up_report(gold=False, seed=1)]
    table = run_comparison.metrics_table(reports)
    assert list(table.columns) == ["metric", *report_labels(reports)]
    assert table["metric"].tolist()[:2] == ["verdict on the forget set", "verdict on the retain set"]
    assert table["metric"].tolist()[-5:] == [
        "tug of war (1 is like retrained) and its gaps in points",
        "average gap to retrained, after, and its parts",
        "distance to retrained model, after",
        "privacy, after (1 is like retrained)",
        "unlearning time",
    ]
    score = {model: own["forget_test"] for model, own in reports[0][AccuracyResult].scores.items()}
    cell = (
        str(table[report_labels(reports)[0]].iloc[3])
        .replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{NARROW NO-BREAK SPACE}", " ")
    )
    assert cell.startswith(f"{100 * score['before'].accuracy:.1f} → {100 * score['after'].accuracy:.1f} % (")
    assert cell.endswith(f" · retrained {100 * score['gold'].accuracy:.1f} %")
    assert str(table[report_labels(reports)[1]].iloc[3]).endswith(" · not retrained")
