"""Where classes are very unequal, balanced accuracy stands beside accuracy; where they are equal, it does not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.data import sparse_dataset
from unlearn_core.charts.report import accuracy
from unlearn_core.charts.text import verdict
from unlearn_core.charts.text.retain_card import retain_card
from unlearn_core.cli.run import as_json, as_table
from unlearn_core.data import user_catalog
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.results.balance import BALANCED_CAVEAT
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.export.run_summary import metric_lines


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[None]:
    yield
    user_catalog.set_data_dir(None)


def run(home: Path, test: Sequence[int]) -> RunResult:
    sparse_dataset.bring(home, {**sparse_dataset.FULL, "test": test})
    return unlearn(sparse_dataset.spec(ForgetClasses(classes=(1,))), device="cpu", data_dir=home)


def test_unequal_classes(home: Path) -> None:
    found = run(home, (4, 9, 9, 20))
    report = found.report
    predicted, rows = report.evaluations["after"].logits.argmax(1), report.split.retain_test
    by_class = [float((predicted[rows] == number)[report.labels[rows] == number].mean()) for number in (0, 2, 3)]
    balanced = found.metrics.balanced["after"]
    assert balanced["retain_test"] == pytest.approx(np.mean(by_class))
    assert set(balanced) == {"retain_train", "retain_val", "retain_test"}, "a single class has none"
    assert as_json(found)["after"]["balanced_accuracy"] == balanced
    assert as_table(found).count("  balanced accuracy") == 3
    assert "Balanced accuracy: " in retain_card(report).words
    assert BALANCED_CAVEAT in verdict.caveats(report)
    assert accuracy.CHART.summary(report).endswith(BALANCED_CAVEAT)
    table = accuracy.CHART.table([report])
    shown = table[(table["model"] == "after") & (table["set"] == "retain set, test")]["balanced"]
    assert shown.item() == balanced["retain_test"]
    assert "Retain set, test, balanced accuracy" in [line.label for line in metric_lines(report)]


def test_equal_classes(home: Path) -> None:
    found = run(home, (9, 9, 3, 9))
    assert not found.metrics.balanced
    assert "balanced" not in f"{as_table(found)}{as_json(found)}{accuracy.CHART.summary(found.report)}".lower()
    assert BALANCED_CAVEAT not in verdict.caveats(found.report)
    assert "balanced" not in accuracy.CHART.table([found.report])
    assert not [line for line in metric_lines(found.report) if "balanced" in line.label]
