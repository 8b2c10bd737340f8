"""Whichever sets of a split are empty, a run ends, and every chart, verdict and table says so in a sentence."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests.data import sparse_dataset
from unlearn_core.charts import every_chart
from unlearn_core.charts.chart import Chart
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.text import run_comparison, verdict, warnings
from unlearn_core.cli.run import as_json, as_table
from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.report import Report
from unlearn_core.domain.split import make_split
from unlearn_core.engine import setup
from unlearn_core.engine.execute import RunResult, unlearn
from unlearn_core.export.html_report import render_report
from unlearn_core.export.model_card import render_model_card
from unlearn_core.methods import methods

COLUMNS, IMAGES = ForgetClasses(classes=(1,)), ForgetImages(images=(3, 7, 31))
HELD_OUT = ("forget_val", "retain_val", "forget_test", "retain_test")
IN_TURN = [(name,) for name in HELD_OUT] + [HELD_OUT]
EVERY = [some for count in range(5) for some in combinations(HELD_OUT, count)]
UNDEFINED = re.compile(r"\b(?:nan|inf|NaN|null)\b|\bNone\b(?! of)")


@pytest.fixture(autouse=True)
def mine(home: Path) -> Iterator[Path]:
    yield home
    user_catalog.set_data_dir(None)


def counts(empty: Collection[str], *, of_class: int = 30) -> dict[str, list[int]]:
    """Images of each class without those of the empty sets; the class to forget has so many training images."""
    found = {split: list(numbers) for split, numbers in sparse_dataset.FULL.items()}
    for name in empty:
        side, split = name.split("_")
        for number in range(4):
            if (number == COLUMNS.classes[0]) == (side == "forget"):
                found[split][number] = 0
    found["train"][1] = min(found["train"][1], of_class)
    return found


def run(home: Path, empty: Collection[str], forget: Forget, *, gold: bool, of_class: int = 30) -> RunResult:
    sparse_dataset.bring(home, counts(empty, of_class=of_class))
    if gold and isinstance(forget, ForgetClasses):
        sparse_dataset.bring_gold(home, forget)
    return unlearn(sparse_dataset.spec(forget), device="cpu", data_dir=home)


def texts(report: Report) -> list[str]:
    """Everything that verdicts, warnings and charts say about a report; each chart that applies is also drawn."""
    said = [verdict.caveats(report), warnings.no_warning_text(report)]
    said += [f"{one.title}: {one.words}" for one in verdict.verdicts(report)]
    said += [f"{one.words} {one.doubt}" for one in warnings.report_warnings(report)]
    for chart in charts():
        applies = chart.applies(report)
        if applies is not True:
            said.append(applies)
            continue
        chart.figure([report], LIGHT).to_json()
        assert len(chart.table([report]))
        said += [chart.summary(report), chart.alt_text(report)]
    return said


def charts() -> Sequence[Chart]:
    return [one for chart in every_chart() for one in (chart, *chart.variants.values())]


def check_texts(report: Report) -> None:
    for text in texts(report):
        assert text.rstrip().endswith((".", ")")), text
        assert not UNDEFINED.search(text), text


@pytest.mark.parametrize("empty", IN_TURN, ids=" ".join)
def test_each_set_is_empty_in_turn(home: Path, empty: Collection[str]) -> None:
    check_run(run(home, empty, COLUMNS, gold="forget_val" not in empty))


@pytest.mark.slow
@pytest.mark.parametrize("empty", EVERY, ids=" ".join)
@pytest.mark.parametrize("forget", [COLUMNS, IMAGES], ids=["classes", "images"])
@pytest.mark.parametrize("gold", [True, False], ids=["gold", "no gold"])
def test_any_sets_are_empty(home: Path, empty: Collection[str], forget: Forget, gold: bool) -> None:
    check_run(run(home, empty, forget, gold=gold))


def check_run(found: RunResult) -> None:
    check_texts(found.report)
    assert not UNDEFINED.search(as_table(found))
    json.dumps(as_json(found), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("of_class", [1, 3])
def test_a_class_of_one_or_three_images_is_forgotten(home: Path, of_class: int) -> None:
    found = run(home, ("forget_val", "forget_test"), COLUMNS, gold=True, of_class=of_class)
    check_texts(found.report)
    assert " images would tell; these are " in verdict.verdicts(found.report)[0].words


@pytest.mark.slow
@pytest.mark.parametrize("empty", IN_TURN, ids=" ".join)
@pytest.mark.parametrize("forget", [COLUMNS, IMAGES], ids=["classes", "images"])
def test_exports_and_comparisons(home: Path, empty: Collection[str], forget: Forget) -> None:
    report = run(home, empty, forget, gold=True).report
    page = render_report(
        [report, report], methods=methods(), image_datasets={report.dataset.id: datasets.load("sparse")}
    )
    body = re.sub(r"<(script|style|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    found = UNDEFINED.search(body)
    assert not found, body[found.start() - 200 : found.end() + 100]
    assert not UNDEFINED.search(render_model_card(report))
    assert not UNDEFINED.search(run_comparison.summary(report, report))
    assert not UNDEFINED.search(run_comparison.metrics_table([report, report]).to_csv())


def test_without_training_images_there_is_nothing_to_forget(home: Path) -> None:
    with pytest.raises(InvalidRequestError, match="There is no training image to forget"):
        run(home, ("forget_train",), COLUMNS, gold=False)
    assert not list((home / "runs").glob("*")), "nothing is in the history"


def test_without_other_training_images_nothing_is_retained(home: Path) -> None:
    with pytest.raises(InvalidRequestError, match="the retain set would be empty"):
        run(home, ("retain_train",), COLUMNS, gold=False)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_a_report_of_a_former_release_without_forget_images(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ran such requests and then could not show them."""
    monkeypatch.setattr(setup, "trainable_split", make_split)
    report = run(home, ("forget_train",), COLUMNS, gold=False).report
    check_texts(report)
    assert "there was nothing to forget" in verdict.caveats(report)
    assert not np.isnan(report.evaluations["after"].logits).any()
